import { Group, Text, VisuallyHidden } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { tokenExpirations } from '../inventory/queries';
import { inventoryLink, type TokenFilter } from '../inventory/token-filters';
import { Loaded } from '../parts/states';
import { firstDayOf, type Month, monthsOf } from './months';
import { expiringOn } from './numbers';

const DAYS = 90;
/** A shade for each share of the most that expire on one day. */
const SHADES = 4;

/** On which days how many tokens expire. */
export function ExpiryCalendar({ base }: { base: TokenFilter }) {
  const { t, i18n } = useTranslation('overview');
  const query = useQuery(tokenExpirations(base, DAYS));
  return (
    <Loaded query={query}>
      {({ from, to, days }) => {
        const counts = new Map(days.map(({ date, count }) => [date, count]));
        const most = Math.max(1, ...counts.values());
        return (
          <>
            {days.length === 0 && <Text size="sm">{t('noneExpire')}</Text>}
            <Group align="flex-start" gap="xl">
              {monthsOf(from, to, firstDayOf(i18n.language)).map((month) => (
                <MonthTable key={month.name} {...{ month, counts, most, base }} />
              ))}
            </Group>
          </>
        );
      }}
    </Loaded>
  );
}

function MonthTable({
  month: { name, weeks },
  counts,
  most,
  base,
}: {
  month: Month;
  counts: ReadonlyMap<string, number>;
  most: number;
  base: TokenFilter;
}) {
  const { i18n } = useTranslation();
  const words = (options: Intl.DateTimeFormatOptions, date: string): string =>
    new Intl.DateTimeFormat(i18n.language, { ...options, timeZone: 'UTC' }).format(Date.parse(date));
  // Any Monday will do.
  const weekdays = Array.from({ length: 7 }, (_, index) => {
    const date = new Date(Date.UTC(2024, 0, ((firstDayOf(i18n.language) + index - 1) % 7) + 1)).toISOString();
    return [words({ weekday: 'narrow' }, date), words({ weekday: 'long' }, date)] as const;
  });
  return (
    <table className="month">
      <caption>{words({ month: 'long', year: 'numeric' }, `${name}-01`)}</caption>
      <thead>
        <tr>
          {weekdays.map(([short, long]) => (
            <th key={long} scope="col" abbr={long} aria-label={long}>
              {short}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeks.map((week, row) => (
          <tr key={row}>
            {week.map((date, column) => (
              <td key={column}>
                {date === undefined ? (
                  <span className="day" />
                ) : (
                  <Day {...{ date, most, base }} count={counts.get(date) ?? 0} />
                )}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Day({ date, count, most, base }: { date: string; count: number; most: number; base: TokenFilter }) {
  const { t, i18n } = useTranslation('overview');
  const day = Number(date.slice(8));
  if (count === 0) return <span className="day">{day}</span>;
  const long = new Intl.DateTimeFormat(i18n.language, { dateStyle: 'long', timeZone: 'UTC' });
  const compact = new Intl.NumberFormat(i18n.language, { notation: 'compact' });
  const label = t('day', { date: long.format(Date.parse(date)), count });
  return (
    <Link
      href={inventoryLink(expiringOn(date, count, base).filter)}
      className="day day-expiring"
      data-shade={Math.ceil((SHADES * count) / most)}
      title={label}
    >
      <VisuallyHidden>{label}</VisuallyHidden>
      <span className="day-number" aria-hidden>
        {day}
      </span>
      <strong aria-hidden>{compact.format(count)}</strong>
    </Link>
  );
}
