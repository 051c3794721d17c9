import { Button, SegmentedControl, Stack } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'wouter';
import { useMe } from '../api/me';
import { PageHeader } from '../parts/page-header';
import { Empty, Failed, Loaded } from '../parts/states';
import { MY_TOKENS, SHOWN, type Shown, type Token } from './queries';
import { RevokeDialog } from './revoke-dialog';
import { RotateDialog } from './rotate-dialog';
import { TokenCards } from './token-cards';
import type { TokenAction } from './token-menu';
import { TokenTable } from './token-table';

const WIDE = '(min-width: 62em)';

/** What I hold, in every dialect. */
export function MyTokensPage() {
  const { t } = useTranslation('my-tokens');
  const [search, setSearch] = useSearchParams();
  const shown: Shown = search.get('show') === 'all' ? 'all' : 'active';
  const show = (value: string): void => setSearch(value === 'all' ? { show: 'all' } : {}, { replace: true });
  return (
    <>
      <PageHeader
        title={t('title')}
        description={t('description')}
        actions={
          <Button component={Link} href="/tokens/new" leftSection={<IconPlus size={16} aria-hidden />}>
            {t('make.open')}
          </Button>
        }
      />
      <SegmentedControl
        mb="md"
        aria-label={t('list.show')}
        value={shown}
        onChange={show}
        data={SHOWN.map((value) => ({ value, label: t(`list.${value}`) }))}
      />
      <List shown={shown} />
    </>
  );
}

function List({ shown }: { shown: Shown }) {
  const { t } = useTranslation('my-tokens');
  const { user } = useMe();
  const query = useInfiniteQuery(MY_TOKENS(user.id, shown));
  const { isFetchNextPageError, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const items = query.data?.pages.flatMap((part) => part.items);
  const first = { data: items, error: isFetchNextPageError ? null : query.error, refetch: query.refetch };
  return (
    <Loaded query={first}>
      {(tokens) =>
        tokens.length === 0 ? (
          <Empty
            action={
              <Button component={Link} href="/tokens/new" variant="default">
                {t('make.open')}
              </Button>
            }
          >
            {t(`list.empty.${shown}`)}
          </Empty>
        ) : (
          <Stack>
            <Tokens tokens={tokens} />
            {isFetchNextPageError && <Failed error={query.error} onRetry={() => void fetchNextPage()} />}
            {hasNextPage && !isFetchNextPageError && (
              <Button
                variant="default"
                mx="auto"
                loading={isFetchingNextPage}
                onClick={() => void fetchNextPage()}
              >
                {t('list.more')}
              </Button>
            )}
          </Stack>
        )
      }
    </Loaded>
  );
}

function Tokens({ tokens }: { tokens: Token[] }) {
  const isWide = useMediaQuery(WIDE, undefined, { getInitialValueInEffect: false });
  const [asked, setAsked] = useState<{ token: Token; action: TokenAction }>();
  const [isOpen, { open, close }] = useDisclosure();
  const ask = (token: Token, action: TokenAction): void => {
    setAsked({ token, action });
    open();
  };
  // The dialogs outlive every change of the list and of the screen: one of them shows a secret that is shown once.
  const Listed = isWide ? TokenTable : TokenCards;
  return (
    <>
      <Listed tokens={tokens} onAction={ask} />
      {asked?.action === 'rotate' && <RotateDialog token={asked.token} isOpen={isOpen} onClose={close} />}
      {asked?.action === 'revoke' && <RevokeDialog token={asked.token} isOpen={isOpen} onClose={close} />}
    </>
  );
}
