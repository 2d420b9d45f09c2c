import type { FormInstance } from 'antd';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FieldError } from '@/api/types';
import { type EditorHandle, YamlEditor } from '@/components/editor/YamlEditor';
import { Section } from '@/components/Section';
import { setValues, type ServiceValues } from '../form/values';
import type { Problem } from './check';
import { placeServerErrors, type Reading, readText } from './read';
import { secretRanges } from './secrets';
import { writeText } from './write';
import styles from './document.module.css';

export interface Draft {
  /** The text as it was left, with its comments. */
  text: string | undefined;
  /** How many things are wrong with it; it is in the form only when nothing is. */
  problems: number;
}

interface Props {
  form: FormInstance<ServiceValues>;
  creating: boolean;
  draft: Draft;
  onDraft: (draft: Draft) => void;
  /** Counts up when the form was filled from elsewhere: the text follows. */
  filled: number;
  /** What the server did not take of the text as it was sent. */
  refused: readonly FieldError[];
}

/** A service as its text. Whatever can be read goes into the form at once, so that both say the same. */
export default function YamlMode({ form, creating, draft, onDraft, filled, refused }: Props) {
  const { t } = useTranslation();
  const editor = useRef<EditorHandle>(null);
  const values = () => form.getFieldsValue(true) as ServiceValues;
  const [text, setText] = useState(() => writeText(values(), creating, draft.text));
  const [followed, setFollowed] = useState(filled);
  const [base, setBase] = useState(values);
  if (followed !== filled) {
    setFollowed(filled);
    setBase(values());
    setText(writeText(values(), creating, text));
  }
  const reading = useMemo(() => readText(text, creating, base), [text, creating, base]);
  const [sent, setSent] = useState<{ refused: readonly FieldError[]; reading: Reading }>();
  if (refused.length > 0 && sent?.refused !== refused) setSent({ refused, reading });

  useEffect(() => {
    if (reading.values) setValues(form, reading.values);
    onDraft({ text, problems: reading.problems.length });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- tells of a new reading, not of a new listener
  }, [reading, text, form]);

  const problems = useMemo(() => {
    const fromServer =
      sent && refused.length > 0 ? placeServerErrors(reading, refused, sent.reading.document) : [];
    return [...reading.problems, ...fromServer].sort((left, right) => left.from - right.from);
  }, [reading, refused, sent]);
  const say = (problem: Problem) => t(`editor.problem.${problem.kind}`, problem.values);
  const marks = useMemo(
    () => problems.map((problem) => ({ ...problem, message: say(problem) })),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `say` changes with `t` only
    [problems, t],
  );

  return (
    <Section title={t('editor.title')} hint={t(creating ? 'editor.hint_create' : 'editor.hint_edit')}>
      <div className={styles.mode}>
        <YamlEditor
          label={t('editor.title')}
          text={text}
          marks={marks}
          secrets={secretRanges}
          onChange={setText}
          handle={editor}
        />
        <div role="status" className={styles.problems}>
          <p className={problems.length > 0 ? styles.wrong : 'faint'}>
            {t('editor.problems', { count: problems.length })}
          </p>
          <ul>
            {problems.slice(0, 20).map((problem, index) => (
              <li key={index}>
                <button type="button" onClick={() => editor.current?.goTo(problem.from)}>
                  <span className={styles.line}>
                    {t('editor.line', { line: reading.lineOf(problem.from) })}
                  </span>
                  {say(problem)}
                </button>
              </li>
            ))}
          </ul>
        </div>
      </div>
    </Section>
  );
}
