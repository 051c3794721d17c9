import { Anchor, Button, Stack, Table } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { IconPlus } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { Moment } from '../parts/moment';
import { inParts, NextPart } from '../parts/next-part';
import { PageHeader } from '../parts/page-header';
import { Empty, Loaded } from '../parts/states';
import { type Channel, CHANNELS } from './channel-queries';
import { ChannelScope, ChannelState, ChannelTarget } from './channel-words';
import { NewChannel } from './new-channel';

/** Who is told of what happens to tokens and policies. */
export function ChannelsPage() {
  const { t } = useTranslation('channels');
  const query = useInfiniteQuery(CHANNELS);
  const [isMaking, { open, close }] = useDisclosure();
  const add = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={open}>
      {t('add')}
    </Button>
  );
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} actions={add} />
      <Loaded query={inParts(query)}>
        {({ pages }) => {
          const channels = pages.flatMap(({ items }) => items);
          if (channels.length === 0) return <Empty>{t('empty')}</Empty>;
          return (
            <Stack>
              <ChannelTable channels={channels} />
              <NextPart list={query} />
            </Stack>
          );
        }}
      </Loaded>
      <NewChannel isOpen={isMaking} onClose={close} />
    </>
  );
}

function ChannelTable({ channels }: { channels: Channel[] }) {
  const { t } = useTranslation('channels');
  return (
    <Table.ScrollContainer minWidth={760} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table aria-label={t('title')} verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t('target')}</Table.Th>
            <Table.Th scope="col">{t('organization')}</Table.Th>
            <Table.Th scope="col">{t('toldOf')}</Table.Th>
            <Table.Th scope="col">{t('state')}</Table.Th>
            <Table.Th scope="col">{t('createdAt')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {channels.map((channel) => (
            <Table.Tr key={channel.id}>
              <Table.Td>
                <Anchor component={Link} href={`/channels/${channel.id}`} fw={600}>
                  <ChannelTarget channel={channel} />
                </Anchor>
              </Table.Td>
              <Table.Td>
                <ChannelScope channel={channel} />
              </Table.Td>
              <Table.Td>{channel.events.map((event) => t(`events.${event}.name`)).join(' · ')}</Table.Td>
              <Table.Td>
                <ChannelState channel={channel} />
              </Table.Td>
              <Table.Td>
                <Moment at={channel.createdAt} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
