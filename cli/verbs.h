/* The verbs of the command, one file each. argv[0] is the verb's own name; each returns an exit
 * code of cli/report.h. Main thread. */
#ifndef BRUME_CLI_VERBS_H
#define BRUME_CLI_VERBS_H

int verb_render(int argc, char **argv);
int verb_continue(int argc, char **argv);
int verb_transform(int argc, char **argv);
int verb_train(int argc, char **argv);
int verb_score(int argc, char **argv);
int verb_compare(int argc, char **argv);
int verb_info(int argc, char **argv);
int verb_models(int argc, char **argv);
int verb_plot(int argc, char **argv);

#endif
