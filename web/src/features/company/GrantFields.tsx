import { useQuery } from '@tanstack/react-query';
import { Form, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import type { Role } from '@/api/types';
import { ProjectPicker } from '@/components/Pickers';
import { isWithinProject, ROLES } from './scope';

/** What `GrantFields` puts into its form. */
export interface GrantValues {
  role: Role;
  project?: string;
  environment?: string;
}

interface Props {
  /** The place is in there. */
  project?: string;
  /** The environments that can be chosen; undefined for all, and the project as a whole. */
  within?: string[];
  roles?: Role[];
}

/** A role and where it holds, as fields of a form. */
export function GrantFields({ project: fixed, within, roles = ROLES }: Props) {
  const { t } = useTranslation();
  const form = Form.useFormInstance<GrantValues>();
  const role: Role | undefined = Form.useWatch('role', form);
  const chosen: string | undefined = Form.useWatch('project', form);
  const project = chosen ?? fixed;
  const placed = role !== undefined && isWithinProject(role);
  const environments = useQuery({
    ...read('/api/v1/projects/{project}/environments', { params: { path: { project: project ?? '' } } }),
    enabled: placed && Boolean(project),
  });
  return (
    <>
      <Form.Item
        name="role"
        label={t('company.role')}
        extra={role && t(`company.role_text.${role}`)}
        rules={[{ required: true, message: t('form.required') }]}
      >
        <Select options={roles.map((value) => ({ value, label: t(`role.${value}`) }))} />
      </Form.Item>
      {placed && !fixed && (
        <Form.Item name="project" label={t('word.project')} extra={t('company.project_hint')}>
          <ProjectPicker allowClear onChange={() => form.setFieldValue('environment', undefined)} />
        </Form.Item>
      )}
      {placed && project && (
        <Form.Item
          name="environment"
          label={t('word.environment')}
          extra={within ? undefined : t('company.environment_hint')}
          rules={[{ required: within !== undefined, message: t('form.required') }]}
        >
          <Select
            allowClear={!within}
            loading={environments.isLoading}
            options={(environments.data?.items ?? [])
              .filter(({ name }) => within?.includes(name) ?? true)
              .map(({ name }) => ({ value: name, label: name }))}
          />
        </Form.Item>
      )}
    </>
  );
}
