import { Button } from '@mantine/core';
import { useTimeout } from '@mantine/hooks';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

const SHOWN_MS = 2_000;

/** Copies a text, and says so. `label` names what is copied to who cannot see it. */
export function CopyButton({ value, label }: { value: string; label: string }) {
  const { t } = useTranslation();
  const [isCopied, setIsCopied] = useState(false);
  const { start } = useTimeout(() => setIsCopied(false), SHOWN_MS);
  const copy = async (): Promise<void> => {
    setIsCopied(await copied(value));
    start();
  };
  return (
    <Button
      size="xs"
      variant="default"
      onClick={() => void copy()}
      aria-label={`${t('copy.copy')}: ${label}`}
      leftSection={isCopied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
    >
      <span aria-live="polite">{isCopied ? t('copy.copied') : t('copy.copy')}</span>
    </Button>
  );
}

/** Whether it was. A browser has no clipboard for a page that came without TLS: there a selection is copied. */
async function copied(value: string): Promise<boolean> {
  const { clipboard } = navigator as { clipboard?: Clipboard };
  if (clipboard) {
    return clipboard.writeText(value).then(
      () => true,
      () => false,
    );
  }
  const focused = document.activeElement;
  const area = document.createElement('textarea');
  area.value = value;
  // Inside a dialog, which lets no focus out.
  (focused?.parentElement ?? document.body).append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}
