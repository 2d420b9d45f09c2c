import type { Locale } from 'antd/es/locale';
import { createContext, type ReactNode, useContext, useMemo, useState } from 'react';
import { type Language, loadLanguage, TAGS } from './i18n';

interface LanguageChoice {
  language: Language;
  /** For `Intl`: `zh-CN`. */
  tag: string;
  choose: (language: Language) => void;
}
const LanguageContext = createContext<LanguageChoice>({ language: 'en', tag: 'en', choose: () => undefined });

export function useLanguage(): LanguageChoice {
  return useContext(LanguageContext);
}

interface Props {
  initial: { language: Language; locale: Locale };
  children: (locale: Locale) => ReactNode;
}

/** Holds the language; a switch waits for its files, so that no page is half translated. */
export function LanguageProvider({ initial, children }: Props) {
  const [current, setCurrent] = useState(initial);
  const choice = useMemo(
    () => ({
      language: current.language,
      tag: TAGS[current.language],
      choose: (language: Language) => {
        void loadLanguage(language).then((locale) => setCurrent({ language, locale }));
      },
    }),
    [current.language],
  );
  return <LanguageContext value={choice}>{children(current.locale)}</LanguageContext>;
}
