import i18next, { type BackendModule } from 'i18next';
import { initReactI18next } from 'react-i18next';

/** The languages there are messages in, by their own names. */
export const LANGUAGES = { en: 'English', 'zh-CN': '简体中文', ko: '한국어' } as const;
export type Language = keyof typeof LANGUAGES;

const KEPT = 'patois.language';
const files = import.meta.glob<{ default: Record<string, unknown> }>('../messages/*/*.json');

/** Loads `messages/<language>/<room>.json` when a page of the room is shown. */
const messageFiles: BackendModule = {
  type: 'backend',
  init() {},
  read(language, room, done) {
    const load = files[`../messages/${language}/${room}.json`];
    if (!load) {
      done(new Error(`There are no messages of ${room} in ${language}`), false);
      return;
    }
    load().then(
      ({ default: messages }) => done(null, messages),
      (error: Error) => done(error, false),
    );
  },
};

/** What was chosen here before, else the first language of the browser that there are messages in. */
function firstLanguage(): Language {
  const wanted = [localStorage.getItem(KEPT) ?? '', ...navigator.languages];
  for (const one of wanted) {
    const fits = (Object.keys(LANGUAGES) as Language[]).find(
      (language) => language === one || language.split('-')[0] === one.split('-')[0],
    );
    if (fits) return fits;
  }
  return 'en';
}

function showLanguage(language: string): void {
  document.documentElement.lang = language;
}

/** Chooses a language, here and for the next visit. */
export async function chooseLanguage(language: Language): Promise<void> {
  localStorage.setItem(KEPT, language);
  await i18next.changeLanguage(language);
}

/** Resolves once the messages of the shell are there. */
export async function beginMessages(): Promise<void> {
  i18next.on('languageChanged', showLanguage);
  await i18next
    .use(messageFiles)
    .use(initReactI18next)
    .init({
      lng: firstLanguage(),
      supportedLngs: Object.keys(LANGUAGES),
      // A message that is missing in a language is a defect that a test finds, not one to be hidden by English.
      fallbackLng: false,
      ns: ['shell'],
      defaultNS: 'shell',
      showSupportNotice: false,
      // React escapes.
      interpolation: { escapeValue: false },
      react: { useSuspense: true },
    });
}
