import { Text, Tooltip } from '@mantine/core';
import { useTranslation } from 'react-i18next';

/** From which distance on a unit is counted in, and its size, in seconds: `in 40 days` says more than `next month`. */
const STEPS: [unit: Intl.RelativeTimeFormatUnit, from: number, size: number][] = [
  ['year', 63_072_000, 31_536_000],
  ['month', 7_776_000, 2_592_000],
  ['day', 86_400, 86_400],
  ['hour', 3_600, 3_600],
  ['minute', 60, 60],
];

/** How far from now, in words: `3 days ago`, `in 2 months`. */
export function relative(iso: string, language: string, now = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const step = STEPS.find(([, from]) => Math.abs(seconds) >= from);
  return step ? format.format(Math.trunc(seconds / step[2]), step[0]) : format.format(0, 'minute');
}

/** The exact local time, with its zone. */
export function exact(iso: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'long' }).format(Date.parse(iso));
}

/** A moment as people say it, and the exact one on hover or focus. */
export function Moment({ at, none = '—' }: { at: string | null | undefined; none?: string }) {
  const { i18n } = useTranslation();
  if (!at) {
    return (
      <Text span inherit c="dimmed">
        {none}
      </Text>
    );
  }
  return (
    <Tooltip label={exact(at, i18n.language)} events={{ hover: true, focus: true, touch: true }}>
      <time dateTime={at} className="nowrap">
        {relative(at, i18n.language)}
      </time>
    </Tooltip>
  );
}
