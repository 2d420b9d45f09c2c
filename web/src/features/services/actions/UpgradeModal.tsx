import { Form, Input, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { client, send } from '@/api/client';
import type { Service } from '@/api/types';
import { ErrorPanel } from '@/components/ErrorPanel';
import { isImage } from '../form/rules';
import { pathOf, useServiceMutation } from './useServiceMutation';

interface Values {
  image: string;
  comment: string;
}

/** A new revision with another image, released at once. */
export function UpgradeModal({ service, onClose }: { service: Service; onClose: () => void }) {
  const { t } = useTranslation();
  const [form] = Form.useForm<Values>();
  const image = Form.useWatch('image', form);
  const upgrade = useServiceMutation(
    (values: Values) =>
      send(
        client.POST('/api/v1/projects/{project}/environments/{environment}/services/{service}/releases', {
          params: { path: pathOf(service) },
          body: { image: values.image.trim(), comment: values.comment },
        }),
      ),
    t('service.upgrade_started', { name: service.name }),
    onClose,
  );
  return (
    <Modal
      open
      title={t('service.upgrade_title', { name: service.name })}
      okText={t('service.upgrade')}
      cancelText={t('action.cancel')}
      confirmLoading={upgrade.isPending}
      okButtonProps={{ disabled: !image || image.trim() === service.image }}
      onOk={() => form.submit()}
      onCancel={onClose}
      destroyOnHidden
    >
      <p className="muted" style={{ marginBottom: 12 }}>
        {t('service.upgrade_text', { count: service.status.wanted })}
      </p>
      <Form<Values>
        form={form}
        layout="vertical"
        requiredMark="optional"
        initialValues={{ image: service.image, comment: '' }}
        onFinish={upgrade.mutate}
      >
        <Form.Item
          name="image"
          label={t('word.image')}
          extra={
            <span>
              {t('service.now')} <code>{service.image}</code>
            </span>
          }
          rules={[
            { required: true, message: t('form.required') },
            {
              validator: (_, value: string) =>
                !value || isImage(value.trim())
                  ? Promise.resolve()
                  : Promise.reject(new Error(t('form.image'))),
            },
          ]}
        >
          <Input autoComplete="off" spellCheck={false} className="mono" />
        </Form.Item>
        <Form.Item name="comment" label={t('word.comment')}>
          <Input autoComplete="off" maxLength={500} placeholder={t('service.comment_hint')} />
        </Form.Item>
      </Form>
      {upgrade.error && <ErrorPanel inline error={upgrade.error} />}
    </Modal>
  );
}
