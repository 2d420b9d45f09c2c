import audit from './audit.json';
import autoscaling from './autoscaling.json';
import cluster from './cluster.json';
import common from './common.json';
import editor from './editor.json';
import lists from './lists.json';
import company from './company.json';
import overview from './overview.json';
import pod from './pod.json';
import project from './project.json';
import service from './service.json';
import serviceForm from './service_form.json';
import shell from './shell.json';
import usage from './usage.json';

export default {
  ...common,
  ...shell,
  ...overview,
  ...service,
  ...serviceForm,
  ...pod,
  ...cluster,
  ...project,
  ...audit,
  ...autoscaling,
  ...editor,
  ...lists,
  ...company,
  ...usage,
};
