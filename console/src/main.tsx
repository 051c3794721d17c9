import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './console.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { setNonce } from 'get-nonce';
import { App } from './app';
import { beginMessages } from './i18n';
import { STYLE_NONCE } from './style-nonce';

// What keeps the page still below a dialog writes a style sheet.
setNonce(STYLE_NONCE);
await beginMessages();
const root = document.getElementById('root');
if (!root) throw new Error('The page has no #root');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
