import { Group, Stack, Text, Timeline } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Card } from '../parts/card';
import { exact, Moment } from '../parts/moment';
import { type Life, lifeOf, type LifeSpan } from './life';
import type { Token } from './queries';

const HEIGHT = 64;
const BAR = 20;

/** How a token got its values and when each ends: a picture, and the same in words. */
export function TokenLife({ token }: { token: Token }) {
  const { t, i18n } = useTranslation('token');
  const life = lifeOf(token);
  const isInWords = life.moments
    .map(({ name, at }) =>
      at === null ? t(`life.${name}`) : `${t(`life.${name}`)}: ${exact(at, i18n.language)}`,
    )
    .join('; ');
  const past = life.moments.filter(({ isPast }) => isPast).length;
  return (
    <Card title={t('life.title')}>
      <Stack gap="md">
        <Picture life={life} label={isInWords} />
        <Group gap="lg" fz="sm">
          {life.spans.map((span) => (
            <Group key={span.name} gap={6} wrap="nowrap">
              <svg width={14} height={14} aria-hidden>
                <rect width={14} height={14} rx={3} style={{ fill: colorOf(span) }} />
              </svg>
              <span>
                {t(`life.${span.name}`)} · {t(span.isOver ? 'life.over' : 'life.works')}
              </span>
            </Group>
          ))}
          <Group gap={6} wrap="nowrap">
            <svg width={4} height={14} aria-hidden>
              <rect width={3} height={14} style={{ fill: 'var(--mantine-color-text)' }} />
            </svg>
            <span>{t('life.now')}</span>
          </Group>
        </Group>
        <Timeline active={past - 1} bulletSize={14} lineWidth={2} role="list">
          {life.moments.map(({ name, at }) => (
            <Timeline.Item key={name} role="listitem" mt="xs">
              <Text component="div" size="sm">
                {t(`life.${name}`)}
                {at !== null && (
                  <>
                    {' · '}
                    <Moment at={at} />
                  </>
                )}
              </Text>
            </Timeline.Item>
          ))}
        </Timeline>
      </Stack>
    </Card>
  );
}

/** A bar for each value that is known of, over time from left to right, and a line where we are. */
function Picture({ life: { spans, now, isOpen }, label }: { life: Life; label: string }) {
  const top = (index: number): number => 4 + index * (BAR + 8);
  const height = spans.length === 1 ? BAR + 8 : HEIGHT;
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 1000 ${height}`}
      preserveAspectRatio="none"
      width="100%"
      height={height}
    >
      {spans.map((span, index) => (
        <rect
          key={span.name}
          x={span.from * 1000}
          y={top(index)}
          width={Math.max((span.to - span.from) * 1000, 4)}
          height={BAR}
          style={{ fill: colorOf(span) }}
        />
      ))}
      {/* What has no end goes on past the edge. */}
      {isOpen && (
        <polygon
          points={`985,${top(spans.length - 1)} 1000,${top(spans.length - 1) + BAR / 2} 985,${top(spans.length - 1) + BAR} 1000,${top(spans.length - 1) + BAR} 1000,${top(spans.length - 1)}`}
          style={{ fill: 'var(--mantine-color-body)' }}
        />
      )}
      <line
        x1={now * 1000}
        x2={now * 1000}
        y1={0}
        y2={height}
        vectorEffect="non-scaling-stroke"
        style={{ stroke: 'var(--mantine-color-text)', strokeWidth: 2 }}
      />
    </svg>
  );
}

function colorOf({ name, isOver }: LifeSpan): string {
  if (isOver) return 'var(--mantine-color-gray-5)';
  return name === 'current' ? 'var(--mantine-color-indigo-6)' : 'var(--mantine-color-yellow-6)';
}
