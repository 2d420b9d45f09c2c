import { QueryClientProvider } from '@tanstack/react-query';
import type { Locale } from 'antd/es/locale';
import { useState } from 'react';
import { RouterProvider } from 'react-router';
import type { Language } from './i18n';
import { LanguageProvider } from './LanguageProvider';
import { makeQueryClient } from './queries';
import { router } from './routes';
import { ThemeProvider } from './theme/ThemeProvider';

export function App({ initial }: { initial: { language: Language; locale: Locale } }) {
  const [queries] = useState(makeQueryClient);
  return (
    <LanguageProvider initial={initial}>
      {(locale) => (
        <ThemeProvider locale={locale}>
          <QueryClientProvider client={queries}>
            <RouterProvider router={router} />
          </QueryClientProvider>
        </ThemeProvider>
      )}
    </LanguageProvider>
  );
}
