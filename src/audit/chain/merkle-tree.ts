import { hash } from 'node:crypto';

const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);

/** The hash of a leaf (RFC 9162, 2.1.1): SHA-256 of a zero byte and the leaf. */
export function leafHash(leaf: string): Buffer {
  return hash('sha256', Buffer.concat([LEAF, Buffer.from(leaf)]), 'buffer');
}

/** The root of the Merkle tree (RFC 9162, 2.1.1) over some hashes of leaves, in their order. */
export function merkleRoot(leaves: readonly Buffer[]): Buffer {
  /** The roots of the whole subtrees so far, the largest first, each with the number of its leaves. */
  const subtrees: { root: Buffer; size: number }[] = [];
  const joinLastTwo = (): void => {
    const [right, left] = [subtrees.pop(), subtrees.pop()];
    if (!left || !right) return;
    subtrees.push({ root: nodeHash(left.root, right.root), size: left.size + right.size });
  };
  for (const leaf of leaves) {
    subtrees.push({ root: leaf, size: 1 });
    while (subtrees.at(-1)?.size === subtrees.at(-2)?.size) joinLastTwo();
  }
  while (subtrees.length > 1) joinLastTwo();
  return subtrees[0]?.root ?? hash('sha256', '', 'buffer');
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  return hash('sha256', Buffer.concat([NODE, left, right]), 'buffer');
}
