import TextDiff from '@/components/editor/TextDiff';
import type { ServiceValues } from '../form/values';
import { comparedText } from './write';

interface Props {
  before: ServiceValues;
  after: ServiceValues;
  sideBySide: boolean;
}

/** The difference between a service as it is and as it will be, as text. */
export default function YamlDiff({ before, after, sideBySide }: Props) {
  return <TextDiff before={comparedText(before)} after={comparedText(after)} sideBySide={sideBySide} />;
}
