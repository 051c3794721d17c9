import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { CountedTokens } from './numbers';
import { NumberLink } from './number-link';

export interface Bar {
  name: string;
  of: CountedTokens;
  /** A colour of the theme with its shade; the number and the name say the same without it. */
  color?: string;
  sign?: ReactNode;
}

/** Numbers as bars beside each other, of which the longest is the largest: a list for who does not see it. */
export function Bars({ bars }: { bars: readonly Bar[] }) {
  const most = Math.max(1, ...bars.map(({ of }) => of.count));
  return (
    <ul className="bars">
      {bars.map(({ name, of, color = 'indigo-filled', sign }) => (
        <li key={name}>
          <Text size="sm" className="anywhere">
            {sign} {name}
          </Text>
          <svg width="100%" height="14" aria-hidden focusable="false" className="bar">
            <rect width="100%" height="14" rx="3" fill="var(--mantine-color-default-hover)" />
            <rect
              width={`${(100 * of.count) / most}%`}
              height="14"
              rx="3"
              fill={`var(--mantine-color-${color})`}
            />
          </svg>
          <span className="bar-number">
            <NumberLink of={of} label={name} />
          </span>
        </li>
      ))}
    </ul>
  );
}
