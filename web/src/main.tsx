import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { initialiseWords, loadLanguage, preferredLanguage } from './app/i18n';
import './app/theme/base.css';

const container = document.getElementById('root');
if (!container) throw new Error('index.html has no element #root');

await initialiseWords();
const language = preferredLanguage();
const locale = await loadLanguage(language);
createRoot(container).render(
  <StrictMode>
    <App initial={{ language, locale }} />
  </StrictMode>,
);
