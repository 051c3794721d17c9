import { Anchor, List, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'wouter';
import { Callout } from '../parts/callout';
import { Card } from '../parts/card';
import { Fact, Facts } from '../parts/facts';
import { Moment } from '../parts/moment';
import { PageHeader } from '../parts/page-header';
import { Loaded } from '../parts/states';
import { ChannelActions } from './channel-actions';
import { type Channel, CHANNEL } from './channel-queries';
import { ChannelScope, ChannelState, ChannelTarget } from './channel-words';
import { Deliveries } from './deliveries';
import { TestChannel } from './test-channel';

/** One channel: what it is told of, whether it takes it, and what was sent. */
export function ChannelPage() {
  const { id } = useParams<{ id: string }>();
  const { t } = useTranslation('channels');
  const query = useQuery(CHANNEL(id));
  return (
    <>
      <Anchor component={Link} href="/channels" size="sm">
        {t('back')}
      </Anchor>
      <PageHeader
        title={query.data ? t(`of.${query.data.kind}`) : t('one')}
        description={query.data && <ChannelTarget channel={query.data} />}
        actions={query.data && <ChannelActions channel={query.data} />}
      />
      <Loaded query={query}>
        {(channel) => (
          <Stack>
            <Trouble channel={channel} />
            <About channel={channel} />
            <TestChannel channel={channel} />
            <Deliveries channel={channel} />
          </Stack>
        )}
      </Loaded>
    </>
  );
}

/** Why nothing arrives, where that is known. */
function Trouble({ channel: { enabled, disabledReason } }: { channel: Channel }) {
  const { t } = useTranslation('channels');
  if (enabled || disabledReason === null) return null;
  return (
    <Callout tone="warning" title={t('trouble.disabled')} role="alert">
      {t('trouble.disabledText', { reason: disabledReason })}
    </Callout>
  );
}

function About({ channel }: { channel: Channel }) {
  const { t } = useTranslation('channels');
  return (
    <Card title={t('about')} actions={<ChannelState channel={channel} />}>
      <Facts>
        <Fact name={t('organization')}>
          <ChannelScope channel={channel} />
        </Fact>
        <Fact name={t('toldOf')}>
          <List size="sm">
            {channel.events.map((event) => (
              <List.Item key={event}>
                <Text span inherit fw={600}>
                  {t(`events.${event}.name`)}
                </Text>
                {' – '}
                {t(`events.${event}.text`)}
              </List.Item>
            ))}
          </List>
        </Fact>
        {channel.previousSecretUntil !== null && (
          <Fact name={t('rotate.previous')}>
            <Moment at={channel.previousSecretUntil} />
          </Fact>
        )}
        <Fact name={t('createdAt')}>
          <Moment at={channel.createdAt} />
        </Fact>
        <Fact name={t('updatedAt')}>
          <Moment at={channel.updatedAt} />
        </Fact>
      </Facts>
    </Card>
  );
}
