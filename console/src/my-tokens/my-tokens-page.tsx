import { Badge, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answerOf, client } from '../api/client';
import { useMe } from '../api/me';
import { Moment } from '../parts/moment';
import { PageHeader } from '../parts/page-header';
import { Empty, Loaded } from '../parts/states';

/** What I hold, in every dialect. */
export function MyTokensPage() {
  const { t } = useTranslation('my-tokens');
  const { user } = useMe();
  const query = useQuery({
    queryKey: ['tokens', { owner: user.login }],
    queryFn: () => answerOf(client.GET('/patois/v1/tokens', { params: { query: { owner: user.login } } })),
  });
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} />
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{t('empty')}</Empty>
          ) : (
            <Table.ScrollContainer minWidth={600}>
              <Table>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>{t('name')}</Table.Th>
                    <Table.Th>{t('dialect')}</Table.Th>
                    <Table.Th>{t('expires')}</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {items.map(({ tokenId, name, dialect, expiresAt }) => (
                    <Table.Tr key={tokenId}>
                      <Table.Td>
                        <Text>{name}</Text>
                      </Table.Td>
                      <Table.Td>
                        <Badge variant="light">{dialect}</Badge>
                      </Table.Td>
                      <Table.Td>
                        <Moment at={expiresAt} />
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
          )
        }
      </Loaded>
    </>
  );
}
