import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { indentUnit } from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
} from '@codemirror/view';
import { type RefObject, useEffect, useImperativeHandle, useRef } from 'react';
import { mask, type TextRange } from './mask';
import { yamlText } from './setup';
import styles from './editor.module.css';

export interface Mark extends TextRange {
  message: string;
}

export interface EditorHandle {
  /** Puts the cursor there and shows it. */
  goTo: (offset: number) => void;
}

interface Props {
  label: string;
  text: string;
  marks: Mark[];
  /** What of a text nobody beside the writer should read; the same function on every render. */
  secrets: (text: string) => TextRange[];
  onChange: (text: string) => void;
  handle: RefObject<EditorHandle | null>;
}

/** Writes YAML: marks what is wrong at its lines. Tab leaves it, as it does every field. */
export function YamlEditor({ label, text, marks, secrets, onChange, handle }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView>(undefined);
  const first = useRef(text);
  const changed = useRef(onChange);
  useEffect(() => {
    changed.current = onChange;
  });

  useEffect(() => {
    if (!place.current) return;
    const view = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: first.current,
        extensions: [
          yamlText,
          mask(secrets),
          lintGutter(),
          history(),
          drawSelection(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          indentUnit.of('  '),
          keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap]),
          EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', tabindex: '0' }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed.current(update.state.doc.toString());
          }),
        ],
      }),
    });
    editor.current = view;
    return () => {
      first.current = view.state.doc.toString();
      view.destroy();
    };
  }, [label, secrets]);

  useEffect(() => {
    const view = editor.current;
    if (view && view.state.doc.toString() !== text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    }
  }, [text]);

  useEffect(() => {
    const view = editor.current;
    if (!view) return;
    const { doc } = view.state;
    const diagnostics = marks.map(({ from, to, message }): Diagnostic => {
      const start = Math.min(from, doc.length);
      // What is missing from a group is marked at its first line only.
      const end = Math.max(start, Math.min(to, doc.lineAt(start).to));
      return { from: start, to: end, message, severity: 'error' };
    });
    view.dispatch(setDiagnostics(view.state, diagnostics));
  }, [marks, text]);

  useImperativeHandle(handle, () => ({
    goTo: (offset) => {
      const view = editor.current;
      if (!view) return;
      view.dispatch({
        selection: { anchor: Math.min(offset, view.state.doc.length) },
        effects: EditorView.scrollIntoView(Math.min(offset, view.state.doc.length), { y: 'center' }),
      });
      view.focus();
    },
  }));

  return <div ref={place} className={styles.editor} />;
}
