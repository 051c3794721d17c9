import { Button, Group, Loader, Menu, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconDownload, IconFileTypeCsv, IconJson } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { BrokenExport, type ExportFormat, type ExportRequest, saveExport } from '../api/download';
import { notifyDone, notifyFailed } from './notify';
import { useProblemText } from './states';

const FORMATS = [
  { format: 'csv', Icon: IconFileTypeCsv },
  { format: 'ndjson', Icon: IconJson },
] as const;

/** Saves everything that a list means as a file, and says how far it is. */
export function ExportMenu({ path, filter, name }: Pick<ExportRequest, 'path' | 'filter' | 'name'>) {
  const { t } = useTranslation('export');
  const [bytes, setBytes] = useState(0);
  const controller = useRef<AbortController>(null);
  // Whoever leaves the page wants no file of it any more.
  useEffect(() => () => controller.current?.abort(), []);
  const { mutate, isPending, error, reset } = useMutation({
    mutationFn: (format: ExportFormat) => {
      controller.current = new AbortController();
      setBytes(0);
      const { signal } = controller.current;
      return saveExport({ path, filter, format, name: nameOf(name) }, { signal, onProgress: setBytes });
    },
    onSuccess: (rows) => notifyDone(t('done', { count: rows })),
  });
  useFailure(error, reset);
  if (isPending) return <UnderWay bytes={bytes} onCancel={() => controller.current?.abort()} />;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />}>
          {t('title')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {FORMATS.map(({ format, Icon }) => (
          <Menu.Item key={format} leftSection={<Icon size={16} aria-hidden />} onClick={() => mutate(format)}>
            {t(`formats.${format}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function UnderWay({ bytes, onCancel }: { bytes: number; onCancel: () => void }) {
  const { t, i18n } = useTranslation('export');
  const size = new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 }).format(bytes / 1_000_000);
  return (
    <Group gap="xs" role="status">
      <Loader size="xs" aria-hidden />
      <Text size="sm">{t('underWay', { size })}</Text>
      <Button size="xs" variant="default" onClick={onCancel}>
        {t('stop')}
      </Button>
    </Group>
  );
}

/** Says why there is no file; that somebody gave it up needs no words. */
function useFailure(error: unknown, reset: () => void): void {
  const { t } = useTranslation('export');
  const problem = useProblemText(error);
  useEffect(() => {
    if (!error) return;
    const isGivenUp = error instanceof DOMException && error.name === 'AbortError';
    if (!isGivenUp) notifyFailed(t('failed'), error instanceof BrokenExport ? t('broken') : problem);
    reset();
  }, [error, problem, reset, t]);
}

/** Files of several exports sort by when they were made. */
function nameOf(name: string): string {
  return `${name}-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}Z`;
}
