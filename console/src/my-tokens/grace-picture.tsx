import { useTranslation } from 'react-i18next';

const MIN_SHARE = 8;
const WEEK_SECONDS = 604_800;

/** How long the old value and the new one work, one bar each; the words beside it say the same. */
export function GracePicture({ graceSeconds, retires }: { graceSeconds: number; retires: boolean }) {
  const { t } = useTranslation('my-tokens');
  // Of a scale on which minutes can still be told from hours.
  const share =
    graceSeconds === 0
      ? 0
      : MIN_SHARE + (Math.log10(graceSeconds) / Math.log10(WEEK_SECONDS)) * (70 - MIN_SHARE);
  return (
    <div className="grace" aria-hidden>
      <span>{t('rotate.old')}</span>
      <div className="grace-track">
        <div className="grace-bar grace-past" />
        <div
          className={retires ? 'grace-bar grace-maybe' : 'grace-bar grace-past'}
          style={{ width: `${share}%` }}
        />
      </div>
      <span>{t('rotate.new')}</span>
      <div className="grace-track">
        <div className="grace-gap" />
        <div className="grace-bar grace-new" />
      </div>
      <span />
      <div className="grace-track">
        <div className="grace-gap" />
        <span className="grace-now">{t('rotate.now')}</span>
      </div>
    </div>
  );
}
