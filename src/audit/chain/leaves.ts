/** A leaf of the tree under a seal. */
export interface Leaf {
  event: string;
  ordinal: number;
  hash: Buffer;
}

/** 16 of the uuid, 8 of the ordinal (big-endian), 32 of the hash. */
export const LEAF_BYTES = 56;

/** Leaves as a seal keeps them. */
export function packLeaves(leaves: readonly Leaf[]): Buffer {
  const bytes = Buffer.allocUnsafe(leaves.length * LEAF_BYTES);
  for (const [index, { event, ordinal, hash }] of leaves.entries()) {
    const start = index * LEAF_BYTES;
    bytes.write(event.replaceAll('-', ''), start, 'hex');
    bytes.writeBigInt64BE(BigInt(ordinal), start + 16);
    hash.copy(bytes, start + 24);
  }
  return bytes;
}

/** The leaves that a seal keeps; half a one at the end is left out. */
export function unpackLeaves(bytes: Buffer): Leaf[] {
  const leaves: Leaf[] = [];
  for (let start = 0; start + LEAF_BYTES <= bytes.length; start += LEAF_BYTES) {
    leaves.push({
      event: uuidOf(bytes.toString('hex', start, start + 16)),
      ordinal: Number(bytes.readBigInt64BE(start + 16)),
      hash: bytes.subarray(start + 24, start + LEAF_BYTES),
    });
  }
  return leaves;
}

function uuidOf(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
