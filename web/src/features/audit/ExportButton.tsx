import { DownloadOutlined } from '@ant-design/icons';
import { useMutation } from '@tanstack/react-query';
import { Button, Dropdown } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, send } from '@/api/client';
import type { AuditFormat } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { saveFile } from '@/components/saveFile';

interface Props {
  filters: Partial<Record<string, string>>;
}

const FORMATS: AuditFormat[] = ['csv', 'jsonl'];

/** Saves what the list shows under its filters as a file. */
export function ExportButton({ filters }: Props) {
  const { t } = useTranslation();
  const save = useMutation({
    mutationFn: async (format: AuditFormat) => {
      const file = await send<Blob>(
        client.GET('/api/v1/audit/export', {
          params: { query: { ...filters, format } },
          parseAs: 'blob',
        }),
      );
      saveFile(file, `audit.${format}`);
    },
  });
  return (
    <>
      <Dropdown
        trigger={['click']}
        menu={{
          items: FORMATS.map((format) => ({
            key: format,
            label: t(`audit.format.${format}`),
            onClick: () => save.mutate(format),
          })),
        }}
      >
        <Button icon={<DownloadOutlined aria-hidden />} loading={save.isPending}>
          {t('audit.export')}
        </Button>
      </Dropdown>
      {save.error && <ErrorPanel inline error={save.error} />}
    </>
  );
}
