import type { Locale } from 'antd/es/locale';
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import type english from './en';

export const LANGUAGES = [
  { code: 'en', name: 'English' },
  { code: 'zh', name: '中文' },
] as const;
export type Language = (typeof LANGUAGES)[number]['code'];

/** What `Intl` and the page's `lang` are told. */
export const TAGS: Record<Language, string> = { en: 'en', zh: 'zh-CN' };

const STORED = 'longshore.language';

export function preferredLanguage(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === 'en' || stored === 'zh') return stored;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

const words = {
  en: () => import('./en'),
  zh: () => import('./zh'),
};
const antLocales: Record<Language, () => Promise<{ default: Locale }>> = {
  en: () => import('antd/es/locale/en_US'),
  zh: () => import('antd/es/locale/zh_CN'),
};
const dateLocales: Record<Language, () => Promise<unknown>> = {
  en: () => Promise.resolve(),
  zh: () => import('dayjs/locale/zh-cn'),
};

/** Loads a language's words and Ant Design's, and switches to it; gives Ant Design's locale back. */
export async function loadLanguage(language: Language): Promise<Locale> {
  const [translation, locale, dayjs] = await Promise.all([
    words[language](),
    antLocales[language](),
    import('dayjs'),
    dateLocales[language](),
  ]);
  i18next.addResourceBundle(language, 'translation', translation.default);
  await i18next.changeLanguage(language);
  dayjs.default.locale(language === 'zh' ? 'zh-cn' : 'en');
  document.documentElement.lang = TAGS[language];
  localStorage.setItem(STORED, language);
  return locale.default;
}

export async function initialiseWords(): Promise<void> {
  await i18next.use(initReactI18next).init({
    resources: {},
    lng: undefined,
    fallbackLng: false,
    interpolation: { escapeValue: false },
    returnNull: false,
  });
}

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation';
    resources: { translation: typeof english };
  }
}
