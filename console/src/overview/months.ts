const DAY_MS = 86_400_000;

/** A day of UTC, `2031-05-06`; undefined where the month has none, or where it is out of the time that is shown. */
export interface Month {
  /** `2031-05`. */
  name: string;
  weeks: (string | undefined)[][];
}

/**
 * The days of a time by month, in weeks that begin on `firstDay` (1: Monday, 7: Sunday).
 *
 * @param to exclusive.
 */
export function monthsOf(from: string, to: string, firstDay: number): Month[] {
  const months: Month[] = [];
  const end = Date.parse(to);
  for (let time = Math.floor(Date.parse(from) / DAY_MS) * DAY_MS; time < end; time += DAY_MS) {
    const date = new Date(time).toISOString().slice(0, 10);
    const column = (new Date(time).getUTCDay() - firstDay + 7) % 7;
    let month = months.at(-1);
    if (month?.name !== date.slice(0, 7)) {
      month = { name: date.slice(0, 7), weeks: [] };
      months.push(month);
    }
    let week = month.weeks.at(-1);
    if (!week || column === 0) {
      week = Array.from({ length: 7 });
      month.weeks.push(week);
    }
    week[column] = date;
  }
  return months;
}

/** On which day weeks begin where a language is spoken; Monday where nobody says. */
export function firstDayOf(language: string): number {
  const locale: Intl.Locale & { getWeekInfo?: () => { firstDay: number } } = new Intl.Locale(language);
  return locale.getWeekInfo?.().firstDay ?? 1;
}
