import type { Token } from './queries';

/** A moment of the life of a token; its word is `token:life.<name>`. */
export interface LifeMoment {
  name: 'issued' | 'rotated' | 'previousEnds' | 'expires' | 'expired' | 'revoked' | 'neverExpires';
  /** Null: it never comes. */
  at: string | null;
  isPast: boolean;
}

/** While a value of a token worked or will work, as parts of the width of the picture, 0 to 1. */
export interface LifeSpan {
  name: 'current' | 'previous';
  from: number;
  to: number;
  isOver: boolean;
}

export interface Life {
  moments: LifeMoment[];
  spans: LifeSpan[];
  now: number;
  /** Whether it goes on past the right edge. */
  isOpen: boolean;
}

/** Where nothing ends, so much of the picture is left for what is to come. */
const FUTURE = 0.2;

/** What is known of the values of a token over time: the current one, and the one before the last rotation. */
export function lifeOf(token: Token, now = Date.now()): Life {
  const { createdAt, rotatedAt, previousValidUntil, expiresAt, revokedAt } = token;
  const isPast = (at: string): boolean => Date.parse(at) <= now;
  const moments: LifeMoment[] = [{ name: 'issued', at: createdAt, isPast: true }];
  if (rotatedAt !== null) moments.push({ name: 'rotated', at: rotatedAt, isPast: true });
  if (previousValidUntil !== null) {
    moments.push({ name: 'previousEnds', at: previousValidUntil, isPast: isPast(previousValidUntil) });
  }
  if (revokedAt !== null) moments.push({ name: 'revoked', at: revokedAt, isPast: true });
  else if (expiresAt === null) moments.push({ name: 'neverExpires', at: null, isPast: false });
  else
    moments.push({
      name: isPast(expiresAt) ? 'expired' : 'expires',
      at: expiresAt,
      isPast: isPast(expiresAt),
    });

  const start = Date.parse(createdAt);
  const last = endOf(token);
  const known = Math.max(
    now,
    ...[last, previousValidUntil].flatMap((at) => (at === null ? [] : [Date.parse(at)])),
  );
  const isOpen = last === null;
  const lived = Math.max(known - start, 1);
  const length = isOpen ? lived / (1 - FUTURE) : lived;
  const place = (at: string | number): number => {
    const time = typeof at === 'number' ? at : Date.parse(at);
    return Math.min(1, Math.max(0, (time - start) / length));
  };
  const current: LifeSpan = {
    name: 'current',
    from: place(rotatedAt ?? createdAt),
    to: last === null ? 1 : place(last),
    isOver: last !== null && isPast(last),
  };
  const previous: LifeSpan[] =
    rotatedAt === null
      ? []
      : [
          {
            name: 'previous',
            from: 0,
            to: place(previousValidUntil ?? rotatedAt),
            isOver: previousValidUntil === null || isPast(previousValidUntil),
          },
        ];
  return { moments: inOrder(moments), spans: [...previous, current], now: place(now), isOpen };
}

/** When nothing of it works any more; null: never. */
function endOf({ expiresAt, revokedAt }: Token): string | null {
  if (revokedAt === null || expiresAt === null) return revokedAt ?? expiresAt;
  return Date.parse(revokedAt) < Date.parse(expiresAt) ? revokedAt : expiresAt;
}

function inOrder(moments: LifeMoment[]): LifeMoment[] {
  const time = ({ at }: LifeMoment): number => (at === null ? Number.POSITIVE_INFINITY : Date.parse(at));
  return [...moments].sort((one, other) => time(one) - time(other));
}
