import { Input, Modal } from 'antd';
import { useId, useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import { ErrorPanel } from './ErrorPanel';
import styles from './TypeNameModal.module.css';

interface Props {
  name: string;
  title: string;
  /** What will go. */
  children: React.ReactNode;
  okText?: string;
  pending: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks for the name before something is destroyed. */
export function TypeNameModal({ name, title, children, okText, pending, error, onConfirm, onClose }: Props) {
  const { t } = useTranslation();
  const field = useId();
  const [typed, setTyped] = useState('');
  const matches = typed.trim() === name;
  return (
    <Modal
      open
      title={title}
      okText={okText ?? t('action.delete')}
      okButtonProps={{ danger: true, disabled: !matches }}
      cancelText={t('action.cancel')}
      confirmLoading={pending}
      onOk={onConfirm}
      onCancel={onClose}
    >
      <div className={styles.body}>
        {children}
        <label className={styles.label} htmlFor={field}>
          <span>
            <Trans i18nKey="confirm.type_name" values={{ name }} components={{ name: <code /> }} />
          </span>
          <Input
            id={field}
            value={typed}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setTyped(event.target.value)}
            onPressEnter={() => matches && onConfirm()}
          />
        </label>
        {Boolean(error) && <ErrorPanel inline error={error} />}
      </div>
    </Modal>
  );
}
