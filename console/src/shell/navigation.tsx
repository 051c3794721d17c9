import { NavLink, ScrollArea } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import type { Me } from '../api/me';
import { PAGES } from '../routes';

/** The pages that somebody may see. */
export function Navigation({ me }: { me: Me }) {
  const { t } = useTranslation();
  const [location] = useLocation();
  return (
    <ScrollArea>
      {PAGES.filter(({ title, isFor }) => title && (isFor?.(me) ?? true)).map(({ path, title }) => {
        const isHere = location === path || location.startsWith(`${path}/`);
        return (
          <NavLink
            key={path}
            component={Link}
            href={path}
            label={t(`pages.${title}`)}
            active={isHere}
            aria-current={isHere ? 'page' : undefined}
          />
        );
      })}
    </ScrollArea>
  );
}
