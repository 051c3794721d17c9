import { useTranslation } from 'react-i18next';

const UNITS: [unit: 'day' | 'hour' | 'minute' | 'second', seconds: number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** A number of seconds in the largest units that tell it exactly, of which there are two at most: `1 day 12 hours`. */
export function useDuration(): (seconds: number) => string {
  const { i18n } = useTranslation();
  return (seconds) => {
    const parts: string[] = [];
    let rest = seconds;
    for (const [unit, size] of UNITS) {
      const count = Math.floor(rest / size);
      rest -= count * size;
      if (count > 0 && parts.length < 2) {
        const format = new Intl.NumberFormat(i18n.language, { style: 'unit', unit, unitDisplay: 'long' });
        parts.push(format.format(count));
      }
    }
    return parts.join(' ');
  };
}
