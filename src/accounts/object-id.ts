/** Which rows a 24-digit id can mean: the second they were made in, and the range of their uuids, bounds included. */
export interface ObjectIdRange {
  createdAtSeconds: number;
  uuidFrom: string;
  uuidTo: string;
}

/**
 * The 24 lower-case hexadecimal digits by which some APIs name a user or token: 8 of the second it was made in (Unix
 * time), 16 of the start of its uuid. Not stored: {@link decodeObjectId} reads it back.
 */
export function encodeObjectId(createdAt: Date, uuid: string): string {
  const seconds = Math.floor(createdAt.getTime() / 1000);
  return seconds.toString(16).padStart(8, '0') + uuid.replaceAll('-', '').slice(0, 16).toLowerCase();
}

/**
 * What an id of 24 hexadecimal digits, in either case, can mean; undefined for any other text. The time is part of the
 * id: a row of that range that was made in another second is not meant.
 */
export function decodeObjectId(text: string): ObjectIdRange | undefined {
  if (!/^[0-9a-f]{24}$/i.test(text)) return undefined;
  const digits = text.toLowerCase();
  const start = `${digits.slice(8, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`;
  return {
    createdAtSeconds: Number.parseInt(digits.slice(0, 8), 16),
    uuidFrom: `${start}-0000-000000000000`,
    uuidTo: `${start}-ffff-ffffffffffff`,
  };
}
