import { Table, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { exact } from '../parts/moment';
import type { AuditEvent } from './event-sentence';

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

interface Change {
  key: string;
  before: unknown;
  after: unknown;
}

/** The fields that an event changed; of something new or gone, all that it had. */
export function changesOf({ before, after }: Pick<AuditEvent, 'before' | 'after'>): Change[] {
  const keys = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return keys
    .map((key) => ({ key, before: before?.[key], after: after?.[key] }))
    .filter((one) => !isSame(one.before, one.after));
}

/** An empty value is as good as none: `null`, nothing, an empty list. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(orNull(one)) === JSON.stringify(orNull(other));
}

function orNull(value: unknown): unknown {
  const isEmpty =
    value === undefined ||
    (Array.isArray(value) && value.length === 0) ||
    (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return isEmpty ? null : value;
}

/** Exactly what an event changed, field by field. */
export function EventChange({ event }: { event: AuditEvent }) {
  const { t } = useTranslation('events');
  const changes = changesOf(event);
  if (changes.length === 0) return <Text size="sm">{t('change.none')}</Text>;
  const hasBefore = event.before !== null && event.before !== undefined;
  return (
    <Table.ScrollContainer minWidth={320} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table fz="sm" verticalSpacing={4} aria-label={t('change.title')}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t('change.field')}</Table.Th>
            {hasBefore && <Table.Th scope="col">{t('change.before')}</Table.Th>}
            <Table.Th scope="col">{t(hasBefore ? 'change.after' : 'change.value')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {changes.map(({ key, before, after }) => (
            <Table.Tr key={key}>
              <Table.Th scope="row" fw={400}>
                {t(`fields.${key}`, { defaultValue: key })}
              </Table.Th>
              {hasBefore && (
                <Table.Td>
                  <Value value={before} />
                </Table.Td>
              )}
              <Table.Td>
                <Value value={after} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Value({ value }: { value: unknown }) {
  const { t, i18n } = useTranslation('events');
  const known = orNull(value);
  if (known === null) return <span>—</span>;
  if (typeof known === 'boolean') return <span>{t(known ? 'change.yes' : 'change.no')}</span>;
  if (typeof known === 'string' && MOMENT.test(known)) return <span>{exact(known, i18n.language)}</span>;
  if (Array.isArray(known)) {
    return (
      <>
        {known.map((one, index) => (
          <div key={index} className="mono">
            {textOf(one)}
          </div>
        ))}
      </>
    );
  }
  return <span className={typeof known === 'object' ? 'mono' : 'anywhere'}>{textOf(known)}</span>;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
