const RFC_3339 =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

/** RFC 2822 in UTC with the `-0000` of Python's `email.utils.formatdate`: `Sat, 21 Nov 2026 20:53:54 -0000`. */
export function formatRfc2822(time: Date): string {
  return time.toUTCString().replace('GMT', '-0000');
}

/** The time that an RFC 3339 text names; undefined for anything else, the 30th of February included. */
export function parseRfc3339(text: string): Date | undefined {
  const [, year, month, day] = RFC_3339.exec(text) ?? [];
  if (year === undefined) return undefined;
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) <= lastDay ? new Date(text.toUpperCase()) : undefined;
}
