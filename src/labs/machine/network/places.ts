/** Where on the link the guest can be: each of its cards, plainly and in each virtual network that it was heard in. */
import type { VlanTag } from './ethernet.js';
import type { Link } from './link.js';

const MAX_PLACES = 32;

export interface Place {
  link: Link;
  tags: VlanTag[];
}

export class Places {
  private readonly known: Place[] = [];

  addLink(link: Link): void {
    this.known.push({ link, tags: [] });
  }

  add({ link, tags }: Place): void {
    if (tags.length === 0 || this.known.length >= MAX_PLACES || this.known.some((place) => place.link === link && isSame(place.tags, tags))) return;
    this.known.push({ link, tags });
  }

  each(work: (place: Place) => void): void {
    for (const place of this.known) if (!place.link.closed) work(place);
  }
}

function isSame(a: VlanTag[], b: VlanTag[]): boolean {
  return a.length === b.length && a.every((tag, index) => tag.id === b[index]?.id);
}
