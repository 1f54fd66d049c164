/** One line of the doctor's table. */
export interface Component {
  name: string;
  /** Empty when unknown or not there. */
  version: string;
  neededFor: string;
  /** Without it `verify` cannot do its work. */
  required: boolean;
  present: boolean;
  /** Really tried, where there is something to try. */
  usable: boolean;
  /** What was tried and how it went; what to do when it is not usable. */
  why: string;
}

/** A component of which nothing is known yet but what it is for. */
export function component(name: string, neededFor: string, found: Partial<Component>): Component {
  return { name, neededFor, version: '', required: true, present: true, usable: true, why: '', ...found };
}
