import { Group } from '@mantine/core';
import { IconBan, IconCircleCheck, IconClockOff, IconPlayerPause } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useDialectTitle } from '../dialects/dialect-words';
import { Card } from '../parts/card';
import { Bars } from './bars';
import type { Numbers } from './numbers';
import { STATUS_COLORS, StatusRing } from './status-ring';

const SIGNS = {
  active: IconCircleCheck,
  inactive: IconPlayerPause,
  expired: IconClockOff,
  revoked: IconBan,
} as const;

export function StatusCard({ numbers: { statuses } }: { numbers: Numbers }) {
  const { t } = useTranslation('overview');
  const bars = statuses.map(({ status, ...of }) => {
    const Sign = SIGNS[status];
    return {
      name: t(`shell:statuses.${status}`),
      of,
      color: STATUS_COLORS[status],
      sign: <Sign size={14} aria-hidden className="sign" />,
    };
  });
  return (
    <Card title={t('byStatus')}>
      <Group justify="center">
        <StatusRing statuses={statuses} />
      </Group>
      <Bars bars={bars} />
    </Card>
  );
}

export function DialectCard({ numbers: { dialects } }: { numbers: Numbers }) {
  const { t } = useTranslation('overview');
  const titleOf = useDialectTitle();
  return (
    <Card title={t('byDialect')}>
      <Bars bars={dialects.map(({ dialect, ...of }) => ({ name: titleOf(dialect), of }))} />
    </Card>
  );
}

export function AgeCard({ numbers: { ages } }: { numbers: Numbers }) {
  const { t } = useTranslation('overview');
  const names = Object.keys(ages) as (keyof typeof ages)[];
  return (
    <Card title={t('byAge')}>
      <Bars bars={names.map((name) => ({ name: t(`ages.${name}`), of: ages[name] }))} />
    </Card>
  );
}
