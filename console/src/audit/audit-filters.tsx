import { Button, Collapse, Group, Paper, SimpleGrid, Stack, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconFilter, IconX } from '@tabler/icons-react';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { exact } from '../parts/moment';
import { ActionSelect } from './action-select';
import { AUDIT_FILTERS, type AuditFilter, type AuditFilterName } from './audit-queries';
import { useActionName } from './event-words';

const TEXTS = ['actor', 'object', 'owner'] as const;
const FURTHER = ['organization', 'address', 'requestId'] as const;
const TIMES = ['since', 'until'] as const;

/** What the trail is narrowed to. Nothing is asked for before the form is sent. */
export function AuditFilters({
  filter,
  onFilter,
}: {
  filter: AuditFilter;
  onFilter: (filter: AuditFilter) => void;
}) {
  const { t } = useTranslation('audit');
  const [draft, setDraft] = useState(filter);
  const [isOpen, { toggle }] = useDisclosure(
    [...FURTHER, ...TIMES].some((name) => filter[name] !== undefined),
  );
  const further = useId();
  const set = (name: AuditFilterName, value: string): void => setDraft({ ...draft, [name]: value });
  const send = (event: FormEvent): void => {
    event.preventDefault();
    onFilter(Object.fromEntries(Object.entries(draft).map(([name, value]) => [name, value.trim()])));
  };
  const field = (name: (typeof TEXTS | typeof FURTHER)[number]) => (
    <TextInput
      key={name}
      label={t(`filters.${name}.name`)}
      placeholder={t(`filters.${name}.example`)}
      value={draft[name] ?? ''}
      onChange={(event) => set(name, event.currentTarget.value)}
      autoComplete="off"
    />
  );
  return (
    <Paper withBorder p="md" component="form" onSubmit={send} aria-label={t('filters.title')}>
      <Stack gap="sm">
        <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }} spacing="sm">
          <ActionSelect value={draft.action} onChange={(action) => set('action', action)} />
          {TEXTS.map(field)}
        </SimpleGrid>
        <Collapse expanded={isOpen} id={further}>
          <SimpleGrid cols={{ base: 1, xs: 2, md: 5 }} spacing="sm">
            {FURTHER.map(field)}
            {TIMES.map((name) => (
              <TextInput
                key={name}
                type="datetime-local"
                step={1}
                label={t(`filters.${name}.name`)}
                value={localOf(draft[name])}
                onChange={(event) => set(name, instantOf(event.currentTarget.value))}
              />
            ))}
          </SimpleGrid>
        </Collapse>
        <Group gap="sm">
          <Button type="submit" leftSection={<IconFilter size={16} aria-hidden />}>
            {t('filters.apply')}
          </Button>
          <Button variant="default" onClick={toggle} aria-expanded={isOpen} aria-controls={further}>
            {t(isOpen ? 'filters.fewer' : 'filters.more')}
          </Button>
        </Group>
        <Active filter={filter} onFilter={onFilter} />
      </Stack>
    </Paper>
  );
}

/** What narrows the list now, each with the way to take it back. */
function Active({ filter, onFilter }: { filter: AuditFilter; onFilter: (filter: AuditFilter) => void }) {
  const { t, i18n } = useTranslation('audit');
  const nameOf = useActionName();
  const names = AUDIT_FILTERS.filter((name) => filter[name] !== undefined);
  if (names.length === 0) return null;
  const words = (name: AuditFilterName): string => {
    const value = filter[name] ?? '';
    if (name === 'action') return nameOf(value);
    const isMoment = (name === 'since' || name === 'until') && !Number.isNaN(Date.parse(value));
    return isMoment ? exact(value, i18n.language) : value;
  };
  return (
    <Group gap="xs" role="group" aria-label={t('filters.active')}>
      {names.map((name) => {
        const text = `${t(`filters.${name}.name`)}: ${words(name)}`;
        return (
          <Button
            key={name}
            size="compact-sm"
            variant="default"
            fw={400}
            maw="100%"
            aria-label={t('filters.remove', { filter: text })}
            rightSection={<IconX size={12} aria-hidden />}
            onClick={() => onFilter({ ...filter, [name]: '' })}
          >
            {text}
          </Button>
        );
      })}
      <Button size="compact-sm" variant="subtle" onClick={() => onFilter({})}>
        {t('filters.clear')}
      </Button>
    </Group>
  );
}

/** An instant as the field has it, in local time; what is none shows as nothing. */
function localOf(instant: string | undefined): string {
  const time = Date.parse(instant ?? '');
  if (Number.isNaN(time)) return '';
  const local = new Date(time - new Date(time).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}

function instantOf(local: string): string {
  const time = Date.parse(local);
  return Number.isNaN(time) ? '' : new Date(time).toISOString();
}
