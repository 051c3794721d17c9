import { Anchor, Group, Skeleton, Stack, Table, Text, VisuallyHidden } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { administersAll, useMe } from '../api/me';
import { Moment } from '../parts/moment';
import { type Person, tokensOf } from './people-queries';
import { type PersonAction, PersonActions } from './person-actions';
import { TokenCounts } from './token-counts';

interface Choosing {
  onChoose: (person: Person, action: PersonAction) => void;
}

/** People as rows, a part of the list after the other: the tokens of each part are counted in one call. */
export function PeopleTable({ parts, onChoose }: { parts: Person[][] } & Choosing) {
  const { t } = useTranslation('people');
  const isOfAll = administersAll(useMe());
  return (
    <Table.ScrollContainer minWidth={isOfAll ? 900 : 760}>
      <Table verticalSpacing="sm" aria-label={t('title')}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('columns.person')}</Table.Th>
            <Table.Th>{t('columns.role')}</Table.Th>
            {isOfAll && <Table.Th>{t('columns.organization')}</Table.Th>}
            <Table.Th>{t('columns.tokens')}</Table.Th>
            <Table.Th>{t('columns.lastUse')}</Table.Th>
            <Table.Th>{t('columns.state')}</Table.Th>
            <Table.Th>
              <VisuallyHidden>{t('columns.actions')}</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {parts.map((persons, index) => (
            <Part key={persons[0]?.id ?? index} persons={persons} onChoose={onChoose} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Part({ persons, onChoose }: { persons: Person[] } & Choosing) {
  const { t } = useTranslation('people');
  const isOfAll = administersAll(useMe());
  const owners = useQuery({ ...tokensOf(persons.map(({ id }) => id)), enabled: persons.length > 0 });
  return persons.map((person) => {
    const owner = owners.data?.get(person.id);
    return (
      <Table.Tr key={person.id}>
        <Table.Td>
          <Stack gap={0}>
            <Anchor component={Link} href={`/people/${encodeURIComponent(person.login)}`} fw={600}>
              {person.login}
            </Anchor>
            <Text size="sm" c="dimmed" lineClamp={2}>
              {[person.name, person.email].filter(Boolean).join(' · ')}
            </Text>
          </Stack>
        </Table.Td>
        <Table.Td>{t(`shell:roles.${person.role}`)}</Table.Td>
        {isOfAll && <Table.Td>{person.organization.name}</Table.Td>}
        <Table.Td>
          {owners.isPending ? <Skeleton h={18} w={80} /> : <Tokens isKnown={!owners.error} owner={owner} />}
        </Table.Td>
        <Table.Td>
          {owners.isPending ? <Skeleton h={18} w={60} /> : <Moment at={owner?.lastUsedAt} />}
        </Table.Td>
        <Table.Td>
          {person.disabled ? (
            <Group gap={4} wrap="nowrap">
              <IconLock size={14} aria-hidden />
              {t('states.disabled')}
            </Group>
          ) : (
            t('states.enabled')
          )}
        </Table.Td>
        <Table.Td ta="right">
          <PersonActions person={person} onChoose={(action) => onChoose(person, action)} />
        </Table.Td>
      </Table.Tr>
    );
  });
}

function Tokens({ isKnown, owner }: { isKnown: boolean } & Parameters<typeof TokenCounts>[0]) {
  const { t } = useTranslation('people');
  return isKnown ? <TokenCounts owner={owner} /> : t('countsFailed');
}
