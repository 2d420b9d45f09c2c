import { UploadOutlined } from '@ant-design/icons';
import { Button, Input } from 'antd';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';

interface Props {
  id?: string;
  value?: string;
  onChange?: (value: string) => void;
}

const MOST_BYTES = 1_000_000;

/** A kubeconfig, pasted or from a file. */
export function KubeconfigField({ id, value, onChange }: Props) {
  const { t } = useTranslation();
  const picker = useRef<HTMLInputElement>(null);
  return (
    <div style={{ display: 'grid', gap: 8 }}>
      <Input.TextArea
        id={id}
        value={value}
        onChange={(event) => onChange?.(event.target.value)}
        autoSize={{ minRows: 8, maxRows: 20 }}
        spellCheck={false}
        autoComplete="off"
        className="mono"
        placeholder={'apiVersion: v1\nkind: Config\nclusters: …'}
      />
      <input
        ref={picker}
        type="file"
        style={{ display: 'none' }}
        aria-label={t('cluster.upload')}
        onChange={({ target }) => {
          const file = target.files?.[0];
          if (file && file.size <= MOST_BYTES) void file.text().then((text) => onChange?.(text));
          target.value = '';
        }}
      />
      <Button
        style={{ justifySelf: 'start' }}
        icon={<UploadOutlined aria-hidden />}
        onClick={() => picker.current?.click()}
      >
        {t('cluster.upload')}
      </Button>
    </div>
  );
}
