/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every check fails where what it checks is broken: the plugins of tests/fixtures/conformance, fault by fault. */
#include "suite.h"

#include <string.h>

typedef struct
{
  const char *fault; /* "" for none */
  const char *line;
} Case;

static void
check_faults (const char *plugin, const Case *cases)
{
  const char *const paths[] = { suite_fixtures (), NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (paths, &error);
  REQUIRE_NO_ERROR (error);

  g_autofree char *faultless = suite_run_plugin (host, plugin, NULL, NULL);
  test_check (strstr (faultless, "FAIL") == NULL, __FILE__, __LINE__, "%s without a fault:\n%s", plugin, faultless);
  for (; cases->fault != NULL; cases++)
    {
      const char *const parameters[] = { "fault", cases->fault, NULL };
      g_autofree char *report = suite_run_plugin (host, plugin, parameters, NULL);

      suite_expect (report, cases->line, cases->fault);
    }
}

TEST (ConformanceFaults, Channel)
{
  static const Case cases[] = {
    { "", "ok use" },
    { "nan seconds", "FAIL use: FaultyChannel: the channel gave nan seconds for 1000 elements…" },
    { "nan bits", "FAIL use: FaultyChannel: the channel gave nan bits…" },
    { "nan drop rate", "FAIL use: FaultyChannel: its own drop rate is nan…" },
    { "nan seconds", "skip losses: it can't be used, as told above" },
    { "no losses", "FAIL use: FaultyChannel: the channel's draw_losses failed and set no error" },
    { "too many losses", "FAIL use: FaultyChannel: the channel's draw_losses gave 101 bytes for 100 elements…" },
    { "nan at 9 bit", "FAIL parameters: values in use: header = 9: FaultyChannel: the channel gave nan seconds…" },
    { "faster for more", "FAIL transfer: 1 elements take 8 bits and 0.5 s, fewer elements 0 bits and 1 s: expected…" },
    { "weightless", "FAIL transfer: a million elements take 0 bits" },
    { "loses more", "FAIL losses: 16 × 20000 elements at drop rate 0.5 lost 0.6…of them, expected 0.5 ± 0.05" },
    { "loses at 0", "FAIL losses: at drop rate 0 a share of 0.00…is lost, expected nothing" },
    { "not its own", "FAIL losses: own drop rate: 16 × 20000 elements at drop rate 0.3 (its own) lost 0.…" },
    { "own randomness", "FAIL losses: same seed twice: the same random stream gave other losses…" },
    { "no randomness", "FAIL losses: same seed twice: two random streams gave the same losses…" },
    { "nothing sent", "FAIL losses: no elements: FaultyChannel: the channel's draw_losses gave 1 bytes for 0…" },
    { "hold", "FAIL freed: it lives on when its last user has dropped it…" },
    { NULL, NULL },
  };

  check_faults ("faulty-channel", cases);
}

TEST (ConformanceFaults, Oracle)
{
  static const Case cases[] = {
    { "", "ok estimates: additive" },
    { "nan", "FAIL use: FaultyOracle: “estimate” gave nan seconds…" },
    { "negative", "FAIL use: FaultyOracle: “estimate” gave -1 seconds…" },
    { "refuses wholes", "FAIL estimates: a whole network is refused: only once" },
    { "no stretches", "ok estimates: 24 of 28 stretches of a network are refused: only whole networks" },
    { "loses its table", "FAIL estimates: ops 0 to 0 of 13: the table is lost" },
    { "less for more", "FAIL estimates: monotone: the first 2 ops take 0.5 s, fewer of them 1 s: expected no less…" },
    /* Two ops too many, of 13 and these two. */
    { "start-up", "FAIL estimates: additive: cut after 1 ops, head and tail differ from the whole by 13.3 % of it;…" },
    { "slows down", "FAIL estimates: same twice: the last 13 ops took …s and take" },
    { "ends slow down", "FAIL estimates: same twice: the last 12 ops took …s and take" },
    /* Of 13 ops there are 26 stretches that are not empty. */
    { "refuses at first", "FAIL estimates: same twice: the first 1 ops took nan s and take 0.001…s now" },
    { "knows one network", "FAIL estimates: nonsense: a network of one op: FaultyOracle: “estimate” gave nan…" },
    { NULL, NULL },
  };

  check_faults ("faulty-oracle", cases);
}

TEST (ConformanceFaults, Space)
{
  static const Case cases[] = {
    { "", "ok networks" },
    { "nothing", "FAIL use: FaultySpace: “build” gave nothing and set no error" },
    { "no split", "FAIL use: FaultySpace: there is no variable, expected the split at least" },
    { "no cut", "FAIL use: FaultySpace: “build” gave a network without a cut for split 0" },
    { "nameless", "FAIL variables: category 1 of first is called “”, expected a name of its own" },
    { "two of a name", "FAIL variables: variable 1 is called “first”, expected a name of its own" },
    { "own variables", "FAIL networks: same twice: two components have different variables" },
    { "data set's variables", "FAIL variables: the variables have changed…" },
    { "wide fails", "FAIL networks: candidate 0,1,0: …an op comes before any block" },
    { "no pool", "FAIL networks: candidate 0,0,0: the output is 8×16×16, expected one number a class" },
    { "other classes", "FAIL networks: candidate 0,1,0: there are 5 classes, in another network 4" },
    { "other images", "FAIL networks: candidate 0,1,0: the input is 3×17×17, in another network 3×16×16" },
    { "other weights", "FAIL networks: candidate …: the weight second.conv1.weight of " },
    { "split in the network", "FAIL networks: cuts: candidate …, against split point 0: op" },
    { "unsteady", "FAIL networks: same twice: a candidate built twice: op …" },
    { "other cut", "FAIL networks: same twice: a candidate built twice is cut before op …" },
    { "deaf", "FAIL data set: classes: told of 7 classes, a network gives 4 numbers" },
    { "refuses", "ok data set: classes: 13 classes are refused: no data set will do" },
    { "choosy", "FAIL data set: nonsense: a data set of images of 1×1×1 in 1 classes: FaultySpace: “set_dataset”…" },
    { NULL, NULL },
  };

  check_faults ("faulty-space", cases);
}

TEST (ConformanceFaults, Optimizer)
{
  static const Case cases[] = {
    { "", "ok state" },
    { "needs three", "FAIL nonsense: the space @a(sas) [('split', ['0'])]: FaultyOptimizer: the optimizer's start…" },
    { "worst", "FAIL search: optimum: the best of 24 candidates, whose variables add up, is recommended after 400…" },
    { "outside", "FAIL search: optimum: step 1: ask gave category 7 of a variable that has 3" },
    { "too short", "FAIL search: optimum: step 1: ask gave a candidate with 3 choices, expected 4" },
    { "nowhere",
      "FAIL search: optimum: step 1: ask gave a trial with placement 2 and fidelity 0, expected 0 or 1 each" },
    { "never done", "FAIL search: optimum: step 511: it still asks for trials 110 steps after the search's end" },
    { "recommends outside", "FAIL search: recommends: recommend gave category 9 of a variable that has 2" },
    { "asks again", "FAIL search: recommends: it was done, and asks again" },
    { "finite", "FAIL search: infinity: step 1: infinity is too much" },
    { "nan metric", "FAIL search: metrics: metric told is nan, expected a finite number" },
    { "new metric", "FAIL search: metrics: the metrics were told and are new now, expected the same ones always" },
    { "made up", "FAIL search: same seed twice: with the same seed, a second one: step…asks for other trials" },
    { "remembers", "FAIL search: started anew: started again: its state is another at the end" },
    { "state", "FAIL state: saved before step 2 and loaded: …" },
    { "takes all", "FAIL nonsense: load takes a state of type s, expected an error" },
    { "refuses mutely", "FAIL nonsense: load of a state of type s: FaultyOptimizer: the optimizer's load failed and…" },
    { "refuses late", "FAIL nonsense: load refuses a state of type s, and has changed the optimizer's own" },
    { "empty state",
      "FAIL nonsense: after load of an empty state: recommend gave a candidate with 0 choices, expected 4" },
    { NULL, NULL },
  };

  check_faults ("faulty-optimizer", cases);
}

TEST (ConformanceFaults, Dataset)
{
  static const Case cases[] = {
    { "", "ok training images" },
    { "nan mean", "FAIL use: FaultyDataset: channel 1 has mean nan…" },
    { "too few pixels", "FAIL use: FaultyDataset: 49151 bytes of pixels and 128 of labels; expected 49152 and 128…" },
    { "wrong label", "FAIL use: FaultyDataset: label 4 of image 9 is outside 0–3" },
    { "unsteady mean", "FAIL info: asked twice, it tells of another shape or of other statistics" },
    { "two of a name", "FAIL class names: class 2 is called “east”, expected a name of its own in UTF-8" },
    { "too few names", "FAIL class names: FaultyDataset: 3 class names for 4 classes" },
    { "wrong mean", "FAIL training images: channel 2 of the training images has mean 0.5000 and deviation 0.5000…" },
    { "unsteady training", "FAIL training images: the training images differ when they are loaded twice" },
    { "unsteady test", "FAIL test images: the test images differ when they are loaded twice" },
    { NULL, NULL },
  };

  check_faults ("faulty-dataset", cases);
}
