const SECONDS = { day: 86_400, hour: 3_600, minute: 60, second: 1 } as const;

export type Unit = keyof typeof SECONDS;
export const UNITS = Object.keys(SECONDS) as Unit[];

/** So many of a unit as make up some seconds, in the largest that does so exactly. */
export function split(seconds: number): { amount: number; unit: Unit } {
  const unit = UNITS.find((one) => seconds % SECONDS[one] === 0) ?? 'second';
  return { amount: seconds / SECONDS[unit], unit };
}

export function secondsOf(amount: number, unit: Unit): number {
  return amount * SECONDS[unit];
}

/** A length of time in words: `90 days`. */
export function inWords(seconds: number, language: string): string {
  const { amount, unit } = split(seconds);
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(amount);
}
