/** What nobody takes for another when it is read out. */
const CHARACTERS = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789';
const LENGTH = 20;
const BYTES = { least: 8, most: 72 };

/** A password of 115 bits, from the browser's source of randomness. */
export function makePassword(): string {
  const largest = Math.floor(256 / CHARACTERS.length) * CHARACTERS.length;
  let password = '';
  while (password.length < LENGTH) {
    // A byte beyond the last whole round would make the first characters likelier.
    const [byte = 255] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < largest) password += CHARACTERS[byte % CHARACTERS.length];
  }
  return password;
}

/** Whether the server takes it, as far as its length goes. */
export function isLongEnough(password: string): boolean {
  const { length } = new TextEncoder().encode(password);
  return length >= BYTES.least && length <= BYTES.most;
}
