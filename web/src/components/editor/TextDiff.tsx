import { MergeView, unifiedMergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { readOnlyText, yamlText } from './setup';
import styles from './editor.module.css';

interface Props {
  before: string;
  after: string;
  sideBySide: boolean;
}

const COLLAPSE = { margin: 3, minSize: 6 };

/** Two texts in YAML and what differs between them; what is the same folds away. */
export default function TextDiff({ before, after, sideBySide }: Props) {
  const { t } = useTranslation();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!place.current) return;
    const words = EditorState.phrases.of({ '$ unchanged lines': t('editor.unchanged') });
    const shared = [yamlText, words];
    const view = sideBySide
      ? new MergeView({
          parent: place.current,
          gutter: false,
          collapseUnchanged: COLLAPSE,
          a: { doc: before, extensions: [shared, readOnlyText(t('diff.before'))] },
          b: { doc: after, extensions: [shared, readOnlyText(t('diff.after'))] },
        })
      : new EditorView({
          parent: place.current,
          doc: after,
          extensions: [
            shared,
            readOnlyText(t('editor.difference')),
            unifiedMergeView({
              original: before,
              mergeControls: false,
              gutter: false,
              collapseUnchanged: COLLAPSE,
            }),
          ],
        });
    return () => view.destroy();
  }, [before, after, sideBySide, t]);
  return <div ref={place} className={styles.diff} />;
}
