import { Anchor, Button, Group, Paper, Table, Text, Title } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { type Place, type PlaceKind, placesInParts } from '../api/places';
import { Moment } from '../parts/moment';
import { inParts, NextPart } from '../parts/next-part';
import { Empty, Loaded } from '../parts/states';
import { PlaceDialog } from './place-dialog';

/** All organizations, or all locations, and the way to make one. */
export function Places({ kind }: { kind: PlaceKind }) {
  const { t } = useTranslation('organizations');
  const heading = useId();
  const [isMaking, setIsMaking] = useState(false);
  const list = useInfiniteQuery(placesInParts(kind));
  return (
    <Paper withBorder p="md" component="section" aria-labelledby={heading} miw={0}>
      <Group justify="space-between" align="flex-start" mb="sm">
        <div>
          <Title order={2} size="h4" id={heading}>
            {t(`${kind}.title`)}
          </Title>
          <Text size="sm" c="dimmed" maw={620}>
            {t(`${kind}.description`)}
          </Text>
        </div>
        <Button
          variant={kind === 'organizations' ? 'filled' : 'default'}
          leftSection={<IconPlus size={18} aria-hidden />}
          onClick={() => setIsMaking(true)}
        >
          {t(`${kind}.create`)}
        </Button>
      </Group>
      <Loaded query={inParts(list)}>
        {({ pages }) => {
          const places = pages.flatMap(({ items }) => items);
          if (places.length === 0) return <Empty>{t(`${kind}.none`)}</Empty>;
          return <PlaceTable kind={kind} places={places} />;
        }}
      </Loaded>
      <NextPart list={list} />
      <PlaceDialog kind={kind} isOpen={isMaking} onClose={() => setIsMaking(false)} />
    </Paper>
  );
}

function PlaceTable({ kind, places }: { kind: PlaceKind; places: Place[] }) {
  const { t } = useTranslation('organizations');
  const isOfOrganizations = kind === 'organizations';
  return (
    <Table.ScrollContainer
      minWidth={isOfOrganizations ? 560 : 260}
      scrollAreaProps={{ viewportProps: { tabIndex: 0, 'aria-label': t(`${kind}.title`), role: 'region' } }}
    >
      <Table verticalSpacing="sm" aria-label={t(`${kind}.title`)}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('name')}</Table.Th>
            <Table.Th>{t('createdAt')}</Table.Th>
            {isOfOrganizations && <Table.Th>{t('goTo')}</Table.Th>}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {places.map(({ id, name, createdAt }) => (
            <Table.Tr key={id}>
              <Table.Td fw={600} style={{ overflowWrap: 'anywhere' }}>
                {name}
              </Table.Td>
              <Table.Td>
                <Moment at={createdAt} />
              </Table.Td>
              {isOfOrganizations && (
                <Table.Td>
                  <Ways id={id} name={name} />
                </Table.Td>
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** What else there is to see of an organization. */
function Ways({ id, name }: { id: string; name: string }) {
  const { t } = useTranslation('organizations');
  const query = new URLSearchParams({ organization: name }).toString();
  const ways = { policy: `/policy/${id}`, people: `/people?${query}`, tokens: `/inventory?${query}` };
  return (
    <Group gap="md">
      {Object.entries(ways).map(([way, href]) => (
        <Anchor key={way} component={Link} href={href} inherit aria-label={t(`ways.${way}Of`, { name })}>
          {t(`ways.${way}`)}
        </Anchor>
      ))}
    </Group>
  );
}
