import { CheckOutlined, CopyOutlined } from '@ant-design/icons';
import { Button, Tooltip } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

/** Copies a text; works where the clipboard API does not (plain HTTP) by selecting a hidden field. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement('textarea');
  field.value = text;
  field.style.position = 'fixed';
  field.style.opacity = '0';
  document.body.append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
}

export function CopyButton({ text, label }: { text: string; label?: string }) {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);
  const name = label ?? t('action.copy');
  return (
    <Tooltip title={done ? t('copied') : name}>
      <Button
        type="text"
        size="small"
        aria-label={name}
        icon={done ? <CheckOutlined aria-hidden /> : <CopyOutlined aria-hidden />}
        onClick={() => {
          void copyText(text).then(() => {
            setDone(true);
            setTimeout(() => setDone(false), 1_500);
          });
        }}
      />
    </Tooltip>
  );
}
