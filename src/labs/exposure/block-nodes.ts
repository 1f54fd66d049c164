/**
 * The graph of qemu block nodes for one disk, every node built by us from files the header guard has let through:
 * formats stated, backing links explicit, so that nothing an image says about other files is ever followed.
 */
import type { ImageLayer, SnapshotImage } from '../../types.js';

export type BlockNode = { driver: string; 'node-name'?: string; [option: string]: unknown };

/** The file under a layer. A block device of the host needs a driver of its own. */
function fileNode(path: string, isDevice: boolean, options: object): BlockNode {
  return { driver: isDevice ? 'host_device' : 'file', filename: path, ...options };
}

function formatNode(layer: ImageLayer, file: unknown, options: object): BlockNode {
  return { driver: layer.format, file, ...options };
}

/** Formats whose driver has a `backing` option: it must be given, else qemu follows what the header says. */
function backingOption(layer: ImageLayer, below: unknown): object {
  if (layer.format === 'qcow2' || layer.format === 'vmdk') return { backing: below ?? null };
  return {};
}

function isDevice(layer: ImageLayer): boolean {
  return layer.details.device === true;
}

/** The files of images, to be made visible in a sandbox. */
export function layerPaths(images: SnapshotImage[]): string[] {
  return images.flatMap((image) => image.layers.filter((layer) => !isDevice(layer)).map((layer) => layer.path));
}

/** The block devices of the host among their layers. */
export function devicePaths(images: SnapshotImage[]): string[] {
  return images.flatMap((image) => image.layers.filter(isDevice).map((layer) => layer.path));
}

/** Named, read-only nodes for a daemon, lowest layer first; the last one is the disk as captured. */
export function capturedNodes(image: SnapshotImage): BlockNode[] {
  const nodes: BlockNode[] = [];
  let below: string | null = null;
  for (const [depth, layer] of [...image.layers.entries()].reverse()) {
    const name = `${image.name}-l${depth}`;
    nodes.push(fileNode(layer.path, isDevice(layer), { 'node-name': `${name}-file`, 'read-only': true }));
    nodes.push(formatNode(layer, `${name}-file`, { 'node-name': name, 'read-only': true, ...backingOption(layer, below) }));
    below = name;
  }
  return nodes;
}

export function capturedNodeName(image: SnapshotImage): string {
  return `${image.name}-l0`;
}

export function overlayNodeName(disk: string): string {
  return `${disk}-overlay`;
}

/** The writable overlay on top of the captured node. */
export function overlayNodes(image: SnapshotImage, overlayPath: string): BlockNode[] {
  const name = overlayNodeName(image.name);
  return [
    // It is thrown away: a flush brings it into the overlay's file, where the host reads it, and need not wait for the host's disk.
    { driver: 'file', 'node-name': `${name}-file`, filename: overlayPath, discard: 'unmap', cache: { 'no-flush': true } },
    { driver: 'qcow2', 'node-name': name, file: `${name}-file`, backing: capturedNodeName(image), discard: 'unmap' },
  ];
}

/** The same graph as one nested description for a one-shot tool; shares the files with whoever has them open. */
export function nestedNode(image: SnapshotImage, overlayPath: string | null): BlockNode {
  let below: BlockNode | null = null;
  for (const layer of [...image.layers].reverse()) {
    below = formatNode(layer, fileNode(layer.path, isDevice(layer), {}), backingOption(layer, below));
  }
  const captured = below as BlockNode;
  const top = overlayPath === null ? captured : { driver: 'qcow2', file: fileNode(overlayPath, false, {}), backing: captured };
  return { ...top, 'force-share': true };
}
