/**
 * The text descriptor inside a VMDK. It may name other files: those are refused.
 * Source: "The Descriptor File" in VMware's Virtual Disk Format 5.0 technical note.
 */
import { quote, refuse } from '../header.js';

const CONSOLIDATE = 'Export it as one monolithic sparse or stream-optimised file, or convert it: qemu-img convert -O qcow2.';
const NO_PARENT = 'ffffffff';

export interface Descriptor {
  createType: string;
  extentName: string;
}

/** @throws FormatError when it names a parent, or any extent but this very file. */
export function parseDescriptor(text: string): Descriptor {
  const parent = value(text, 'parentFileNameHint');
  const parentId = value(text, 'parentCID');
  if (parent !== null || (parentId !== null && parentId.toLowerCase() !== NO_PARENT)) {
    throw refuse('vmdk.parent', `the VMDK is a delta of another file (${quote(parent ?? 'not named')}), which is refused`, CONSOLIDATE);
  }
  const extents = [...text.matchAll(/^[ \t]*(?:RW|RDONLY|NOACCESS)[ \t]+(\d+)[ \t]+(\S+)(?:[ \t]+"([^"\n]*)")?/gim)];
  const [extent] = extents;
  if (extents.length > 1) throw refuse('vmdk.extents', `the VMDK consists of ${extents.length} extents in other files, which is refused`, CONSOLIDATE);
  const type = (extent?.[2] ?? 'SPARSE').toUpperCase();
  const extentName = extent?.[3] ?? '';
  if (type !== 'SPARSE' || /[/\\:]/.test(extentName)) {
    throw refuse('vmdk.extents', `the VMDK keeps its data in an extent elsewhere (${type} ${quote(extentName)}), which is refused`, CONSOLIDATE);
  }
  return { createType: value(text, 'createType') ?? 'unknown', extentName };
}

function value(text: string, key: string): string | null {
  const match = new RegExp(`^[ \\t]*${key}[ \\t]*=[ \\t]*"?([^"\\n\\r]*)"?`, 'im').exec(text);
  return match ? (match[1] ?? '').trim() : null;
}
