/** Whether a text can be kept and shown: no NUL, no lone surrogate. */
export function isGoodText(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

/** Where a value holds a NUL, which PostgreSQL cannot keep, or half of a surrogate pair, which is no text. */
export function findBadText(value: unknown): string[] | undefined {
  if (typeof value === 'string') return isGoodText(value) ? undefined : [];
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, child] of Object.entries(value)) {
    if (!isGoodText(key)) return [];
    const path = findBadText(child);
    if (path) return [key, ...path];
  }
  return undefined;
}
