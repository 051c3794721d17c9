import type { Numbers } from './numbers';

/** Grey as it is filled is too near to the page in the dark. */
export const STATUS_COLORS = {
  active: 'teal-filled',
  inactive: 'gray-6',
  expired: 'orange-filled',
  revoked: 'red-filled',
} as const;

const RADIUS = 42;
const LENGTH = 2 * Math.PI * RADIUS;

/** The statuses as parts of a ring; the list beside it says the same in words and numbers. */
export function StatusRing({ statuses }: { statuses: Numbers['statuses'] }) {
  const total = Math.max(
    1,
    statuses.reduce((sum, { count }) => sum + count, 0),
  );
  return (
    <svg viewBox="0 0 100 100" width={130} height={130} aria-hidden focusable="false" className="ring">
      <circle
        cx="50"
        cy="50"
        r={RADIUS}
        fill="none"
        stroke="var(--mantine-color-default-hover)"
        strokeWidth="14"
      />
      {statuses.map(({ status, count }, index) => {
        const part = (LENGTH * count) / total;
        const before = statuses.slice(0, index).reduce((sum, one) => sum + one.count, 0);
        const offset = (LENGTH * before) / total;
        return (
          <circle
            key={status}
            cx="50"
            cy="50"
            r={RADIUS}
            fill="none"
            stroke={`var(--mantine-color-${STATUS_COLORS[status]})`}
            strokeWidth="14"
            strokeDasharray={`${part} ${LENGTH - part}`}
            strokeDashoffset={-offset}
            transform="rotate(-90 50 50)"
          />
        );
      })}
    </svg>
  );
}
