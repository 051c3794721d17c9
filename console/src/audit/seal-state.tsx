import { Button, Collapse, Group, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { IconChevronDown, IconChevronUp, IconRosetteDiscountCheck } from '@tabler/icons-react';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { Callout } from '../parts/callout';
import { Card } from '../parts/card';
import { CopyButton } from '../parts/copy-button';
import { Fact, Facts } from '../parts/facts';
import { Moment } from '../parts/moment';
import { Loaded } from '../parts/states';
import { type AuditEvent, type AuditSeal, SEAL_KEYS, SEALS } from './audit-queries';
import { Verification } from './verification';

/** An event is sealed ten seconds after its change; what takes so much longer is a sign that sealing does not run. */
const LATE_MS = 60_000;

/** Whether the trail is protected, and whether it holds. */
export function SealState() {
  const { t } = useTranslation('audit');
  const query = useQuery(SEALS);
  return (
    <Card title={t('seals.title')}>
      <Loaded query={query}>
        {({ seal, event, readAt }) => (
          <>
            {isLate(seal, event, readAt) && <Late />}
            {seal ? <Newest seal={seal} /> : <Text size="sm">{t('seals.none')}</Text>}
          </>
        )}
      </Loaded>
      <Verification />
    </Card>
  );
}

function isLate(seal: AuditSeal | null, event: AuditEvent | null, readAt: number): boolean {
  if (!event || readAt - Date.parse(event.time) < LATE_MS) return false;
  return !seal || Date.parse(seal.sealedAt) < Date.parse(event.time);
}

function Late() {
  const { t } = useTranslation('audit');
  return (
    <Callout tone="warning" title={t('seals.late')} role="alert">
      {t('seals.lateText')}
    </Callout>
  );
}

function Newest({ seal }: { seal: AuditSeal }) {
  const { t } = useTranslation('audit');
  const [isOpen, { toggle }] = useDisclosure();
  const details = useId();
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <IconRosetteDiscountCheck size={20} aria-hidden color="var(--mantine-color-green-6)" />
        <Text>
          {t('seals.upTo', { seal: seal.sequence })} <Moment at={seal.sealedAt} />
        </Text>
        <Button
          size="compact-xs"
          variant="default"
          onClick={toggle}
          aria-expanded={isOpen}
          aria-controls={details}
          rightSection={
            isOpen ? <IconChevronUp size={14} aria-hidden /> : <IconChevronDown size={14} aria-hidden />
          }
        >
          {t('seals.details')}
        </Button>
      </Group>
      <Text size="sm">{t('seals.soon')}</Text>
      <Collapse expanded={isOpen} id={details}>
        {isOpen && <SealDetails seal={seal} />}
      </Collapse>
    </Stack>
  );
}

function SealDetails({ seal }: { seal: AuditSeal }) {
  const { t } = useTranslation('audit');
  const keys = useQuery(SEAL_KEYS);
  return (
    <Stack gap="sm">
      <Text size="sm">{t('seals.store')}</Text>
      <Facts>
        <Fact name={t('seals.seal')}>{t('seals.number', { seal: seal.sequence })}</Fact>
        <Fact name={t('seals.events')}>{seal.events}</Fact>
        <Copied name={t('seals.root')} value={seal.root} />
        <Fact name={t('seals.previousRoot')}>
          <span className="mono">{seal.previousRoot ?? '—'}</span>
        </Fact>
        <Fact name={t('seals.key')}>
          <span className="mono">{seal.key}</span>
        </Fact>
        <Copied name={t('seals.signature')} value={seal.signature} />
      </Facts>
      <Text size="sm" fw={600}>
        {t('seals.keys')}
      </Text>
      <Loaded query={keys}>
        {(set) => (
          <Facts>
            {set.keys.map(({ kid, x, crv }) => (
              <Copied key={kid} name={kid} value={x} label={`${kid} (${crv})`} />
            ))}
          </Facts>
        )}
      </Loaded>
    </Stack>
  );
}

function Copied({ name, value, label = name }: { name: string; value: string; label?: string }) {
  return (
    <Fact name={name}>
      <Group gap="xs">
        <span className="mono">{value}</span>
        <CopyButton value={value} label={label} />
      </Group>
    </Fact>
  );
}
