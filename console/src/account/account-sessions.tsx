import { Badge, Button, Group, Paper, Stack, Text } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { endSession } from '../api/session';
import { Card } from '../parts/card';
import { ConfirmDialog } from '../parts/confirm-dialog';
import { Moment } from '../parts/moment';
import { inParts, NextPart } from '../parts/next-part';
import { notifyDone } from '../parts/notify';
import { Empty, Loaded } from '../parts/states';
import { useDeviceText, UserAgent } from '../parts/user-agent';
import { endOthers, endOne, type Session, SESSIONS } from './sessions';

/** Where I am signed in; each can be ended from here. */
export function AccountSessions() {
  const { t } = useTranslation('account');
  const query = useInfiniteQuery(SESSIONS);
  const [ending, setEnding] = useState<Session | 'others'>();
  const sessions = query.data?.pages.flatMap(({ items }) => items) ?? [];
  const hasOthers = sessions.some(({ isCurrent }) => !isCurrent);
  return (
    <Card
      title={t('sessions.title')}
      actions={
        hasOthers && (
          <Button variant="default" onClick={() => setEnding('others')}>
            {t('sessions.endOthers')}
          </Button>
        )
      }
    >
      <Loaded query={inParts(query)}>
        {() =>
          sessions.length === 0 ? (
            <Empty>{t('sessions.empty')}</Empty>
          ) : (
            <Stack gap="sm">
              <Stack component="ul" gap="sm" className="plain-list">
                {sessions.map((session) => (
                  <OneSession key={session.id} session={session} onEnd={() => setEnding(session)} />
                ))}
              </Stack>
              <NextPart list={query} />
            </Stack>
          )
        }
      </Loaded>
      <EndDialog ending={ending} onClose={() => setEnding(undefined)} />
    </Card>
  );
}

function OneSession({ session, onEnd }: { session: Session; onEnd: () => void }) {
  const { t } = useTranslation('account');
  const device = useDeviceText()(session.userAgent);
  const { isCurrent, address, provider } = session;
  return (
    <Paper component="li" withBorder p="sm">
      <Group justify="space-between">
        <Stack gap={2} miw={0}>
          <Group gap="xs">
            <Text fw={600} component="span">
              <UserAgent value={session.userAgent} />
            </Text>
            {isCurrent && (
              <Badge component="span" variant="default" tt="none">
                {t('sessions.current')}
              </Badge>
            )}
          </Group>
          <Group gap="xs" fz="sm" c="dimmed">
            {address !== null && <span className="mono">{address}</span>}
            <span>
              {provider === null ? t('sessions.byPassword') : t('sessions.byProvider', { provider })}
            </span>
          </Group>
          <Group gap="xs" fz="sm" c="dimmed">
            <span>
              {t('sessions.began')} <Moment at={session.createdAt} />
            </span>
            <span>
              {t('sessions.used')} <Moment at={session.lastUsedAt} />
            </span>
            <span>
              {t('sessions.expires')} <Moment at={session.expiresAt} />
            </span>
          </Group>
        </Stack>
        <Button
          variant="default"
          size="xs"
          onClick={onEnd}
          aria-label={t(isCurrent ? 'sessions.signOutNamed' : 'sessions.endNamed', { device })}
        >
          {t(isCurrent ? 'shell:account.signOut' : 'sessions.end')}
        </Button>
      </Group>
    </Paper>
  );
}

function EndDialog({ ending, onClose }: { ending: Session | 'others' | undefined; onClose: () => void }) {
  const { t } = useTranslation('account');
  const queries = useQueryClient();
  const end = useMutation({
    mutationFn: async (meant: Session | 'others') => {
      if (meant === 'others') return endOthers();
      if (meant.isCurrent) return endSession();
      return endOne(meant.id);
    },
    onSuccess: async (_, meant) => {
      if (meant !== 'others' && meant.isCurrent) return;
      await queries.invalidateQueries({ queryKey: SESSIONS.queryKey });
      notifyDone(t(meant === 'others' ? 'sessions.othersEnded' : 'sessions.ended'));
      onClose();
    },
    // Some of several may have ended though another did not.
    onError: () => void queries.invalidateQueries({ queryKey: SESSIONS.queryKey }),
  });
  const isOthers = ending === 'others';
  return (
    <ConfirmDialog
      isOpen={ending !== undefined}
      title={t(isOthers ? 'sessions.endOthersTitle' : 'sessions.endTitle')}
      action={t(isOthers ? 'sessions.endOthers' : 'sessions.end')}
      isBusy={end.isPending}
      error={end.error}
      onConfirm={() => {
        if (ending !== undefined) end.mutate(ending);
      }}
      onClose={() => {
        end.reset();
        onClose();
      }}
    >
      <Text>{t(isOthers ? 'sessions.endOthersText' : 'sessions.endText')}</Text>
    </ConfirmDialog>
  );
}
