import { Anchor, Text } from '@mantine/core';
import { type ColumnDef, createColumnHelper } from '@tanstack/react-table';
import type { TFunction } from 'i18next';
import { Link } from 'wouter';
import { DialectBadge } from '../dialects/dialect-words';
import { StatusBadge } from '../parts/status-badge';
import { TimeText } from '../parts/time-text';
import type { SortField, Token } from './queries';

/** In the order of the table. The name cannot be hidden: it leads to the token. */
export const COLUMNS = [
  'name',
  'status',
  'dialect',
  'owner',
  'organization',
  'expiresAt',
  'lastUsedAt',
  'createdAt',
  'scopes',
  'allowedCidrs',
  'tokenId',
] as const;
export type ColumnName = (typeof COLUMNS)[number];

/** What is not shown before somebody chooses it. */
export const HIDDEN_AT_FIRST: readonly ColumnName[] = ['organization', 'scopes', 'allowedCidrs', 'tokenId'];

/** How wide each is at least, in pixels; what is left over is shared out among them. */
export const WIDTHS: Record<ColumnName, number> = {
  name: 200,
  status: 112,
  dialect: 100,
  owner: 120,
  organization: 130,
  expiresAt: 120,
  lastUsedAt: 120,
  createdAt: 120,
  scopes: 180,
  allowedCidrs: 150,
  tokenId: 150,
};

export const SORTS: Partial<Record<ColumnName, SortField>> = {
  name: 'name',
  expiresAt: 'expiresAt',
  lastUsedAt: 'lastUsedAt',
  createdAt: 'createdAt',
};

const column = createColumnHelper<Token>();

/** @param t of the room `inventory`. */
export function columnsOf(t: TFunction<'inventory'>): ColumnDef<Token>[] {
  const cells: Record<ColumnName, (token: Token) => React.ReactNode> = {
    name: ({ name, tokenId }) => (
      <Anchor component={Link} href={`/token/${tokenId}`} size="sm" fw={600} truncate display="block">
        {name}
      </Anchor>
    ),
    status: ({ status }) => <StatusBadge status={status} />,
    dialect: ({ dialect }) => <DialectBadge dialect={dialect} />,
    owner: ({ owner }) => (
      <Anchor
        component={Link}
        href={`/people/${encodeURIComponent(owner.login)}`}
        size="sm"
        truncate
        display="block"
      >
        {owner.login}
      </Anchor>
    ),
    organization: ({ organization }) => <Plain text={organization.name} />,
    expiresAt: ({ expiresAt }) => <TimeText at={expiresAt} none={t('never')} />,
    lastUsedAt: ({ lastUsedAt }) => <TimeText at={lastUsedAt} none={t('never')} />,
    createdAt: ({ createdAt }) => <TimeText at={createdAt} none="" />,
    scopes: ({ scopes }) => <Plain text={scopes.join(', ')} />,
    allowedCidrs: ({ allowedCidrs }) => <Plain text={allowedCidrs.join(', ') || t('anywhere')} />,
    tokenId: ({ tokenId }) => <Plain text={tokenId} isCode />,
  };
  return COLUMNS.map((name) =>
    column.display({
      id: name,
      header: t(`columns.${name}`),
      enableHiding: name !== 'name',
      cell: ({ row }) => cells[name](row.original),
    }),
  );
}

/** A text on one line, whole on hover. */
function Plain({ text, isCode = false }: { text: string; isCode?: boolean }) {
  return (
    <Text size="sm" truncate title={text} {...(isCode && { ff: 'monospace' })}>
      {text}
    </Text>
  );
}
