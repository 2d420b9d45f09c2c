import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, DatePicker, Form, Input, InputNumber } from 'antd';
import type { Dayjs } from 'dayjs';
import dayjs from 'dayjs';
import { useTranslation } from 'react-i18next';
import { client, ifMatch, read, send } from '@/api/client';
import type { Prices } from '@/api/types';
import { Age } from '@/components/Age';
import { ErrorPanel } from '@/components/ErrorPanel';
import { RowsLoading } from '@/components/Loading';
import { PageHeader } from '@/components/PageHeader';
import { Section } from '@/components/Section';
import { CompanyTabs } from '@/features/company/CompanyTabs';
import { usePermission } from '@/features/session/permissions';
import { PriceHistory } from './PriceHistory';
import styles from './usage.module.css';

/** What an hour of a unit costs, from when on, and what it did cost. */
export function Page() {
  const { t } = useTranslation();
  const prices = useQuery(read('/api/v1/prices'));
  return (
    <>
      <PageHeader title={t('company.prices')} subtitle={t('prices.text')} />
      <CompanyTabs active="prices" />
      {prices.error && <ErrorPanel error={prices.error} onRetry={() => void prices.refetch()} />}
      {prices.isLoading && <RowsLoading />}
      {prices.data && <PricesForm key={prices.data.version} prices={prices.data} />}
      <PriceHistory />
    </>
  );
}

interface Values {
  currency: string;
  cpu_core_hour: number | null;
  memory_gib_hour: number | null;
  gpu_hour: number | null;
  storage_gib_hour: number | null;
  valid_from: Dayjs | null;
}

function PricesForm({ prices }: { prices: Prices }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const { allowed, reason } = usePermission('quota:write');
  const save = useMutation({
    mutationFn: ({ currency, valid_from, ...values }: Values) =>
      send(
        client.PUT('/api/v1/prices', {
          params: { header: ifMatch(prices.version) },
          body: {
            currency: currency.trim(),
            valid_from: valid_from?.startOf('hour').toISOString() ?? null,
            ...values,
          },
        }),
      ),
    onSuccess: () => {
      void queries.invalidateQueries();
      void message.success(t('prices.saved'));
    },
  });
  return (
    <Section title={t('prices.per_unit')} hint={t('prices.hint')}>
      <Form<Values>
        className={styles.form}
        style={{ maxWidth: 360 }}
        layout="vertical"
        disabled={!allowed}
        initialValues={{
          currency: prices.currency,
          cpu_core_hour: prices.cpu_core_hour ?? null,
          memory_gib_hour: prices.memory_gib_hour ?? null,
          gpu_hour: prices.gpu_hour ?? null,
          storage_gib_hour: prices.storage_gib_hour ?? null,
          valid_from: null,
        }}
        onFinish={save.mutate}
      >
        <Form.Item
          name="currency"
          label={t('prices.currency')}
          rules={[{ required: true, pattern: /^\s*[A-Z]{3}\s*$/, message: t('prices.currency_rule') }]}
        >
          <Input maxLength={3} autoComplete="off" spellCheck={false} className="mono" />
        </Form.Item>
        {(['cpu_core_hour', 'memory_gib_hour', 'gpu_hour', 'storage_gib_hour'] as const).map((name) => (
          <Form.Item key={name} name={name} label={t(`prices.${name}`)}>
            <InputNumber
              min={0}
              max={1_000_000}
              step={name === 'storage_gib_hour' ? 0.0001 : 0.01}
              placeholder={t('prices.none')}
            />
          </Form.Item>
        ))}
        <Form.Item name="valid_from" label={t('prices.valid_from')} extra={t('prices.valid_from_hint')}>
          <DatePicker
            showTime={{ format: 'HH', defaultValue: dayjs().startOf('day') }}
            format="YYYY-MM-DD HH:00"
            placeholder={t('prices.now')}
          />
        </Form.Item>
        {!allowed && <p className="muted">{reason}</p>}
        <Button type="primary" htmlType="submit" loading={save.isPending}>
          {t('action.save')}
        </Button>
        {prices.updated_at && (
          <span className="faint" style={{ marginInlineStart: 12 }}>
            {t('prices.set_by', { name: prices.updated_by ?? '' })} <Age at={prices.updated_at} />
          </span>
        )}
      </Form>
      {save.error && <ErrorPanel inline error={save.error} />}
    </Section>
  );
}
