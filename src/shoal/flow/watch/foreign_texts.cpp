#include "shoal/flow/watch/foreign_texts_impl.h"

namespace shoal {
namespace {

constexpr const char* kForeign[] = {
    "Fold the egg whites into the batter with a wide spoon and bake until the top is golden.",
    "The comet will pass behind the sun in March and be visible again before dawn.",
    "White moved the bishop to b5 and won the exchange nine moves later.",
    "Glaciers carved this valley and left a ridge of gravel at its mouth.",
    "The abbess signed the charter in the third year of the old king's reign.",
    "Prune the roses in late winter, just above a bud that points outwards.",
    "Enzymes lower the energy that a reaction needs to begin.",
    "The tenor entered a bar too early and the conductor raised an eyebrow.",
    "A sloop carries one mast, a ketch two, and the second stands before the rudder.",
    "Every even number above two that was ever tried is the sum of two primes.",
    "The tenant shall keep the premises dry and return both keys on the last day.",
    "Cumulus clouds with flat bases promise a calm afternoon.",
    "She knitted the sleeve in moss stitch and cast off loosely.",
    "The referee added four minutes and the visitors equalised from a corner.",
    "Limestone dissolves slowly in rain, and caves are what is left.",
    "His poems rhyme badly in translation but the grief comes through.",
    "The bronze was poured at night, when the colour of the melt is easier to judge.",
    "Otters hold hands while they sleep so that the current does not part them.",
    "A locomotive of this class burned a ton of coal between the two towns.",
    "Ferment the cabbage under its own brine for three weeks in a cool cellar.",
    "The minister resigned after the vote and went back to teaching geography.",
    "Ultraviolet light makes the varnish glow and shows where the painting was mended.",
    "Tighten the spokes a quarter turn at a time until the wheel runs true.",
    "The patient was given fluids and the fever fell within two days.",
    "Monsoon rains came late and the rice was planted in July.",
    "Bees tell each other the way to a meadow by the angle of their dance.",
    "The violin's top is spruce and its back is maple, cut from one log.",
    "Silver was worth more than gold in the early kingdoms of the delta.",
    "Our tent leaked at the seams and the stove would not light above the tree line.",
    "The puppet's jaw hangs from a thread that runs through the left arm.",
    "Neutron stars weigh more than the sun and are no wider than a city.",
    "He sharpened the plane, set it finely, and took shavings thin as paper.",
    "The parrot had learnt to imitate the kettle and the neighbour's cough.",
    "Barnacles slow a hull so much that ships are scraped every second year.",
    "In the second act the ghost turns out to be the gardener.",
    "Soldiers of the garrison were paid in salt and allowed to keep goats.",
    "Hold the breath, bend the knees, and let the ski run on its edge.",
    "The verb stands last in a subordinate clause and the particle goes with it.",
    "A pinch of saffron is steeped in warm milk before it meets the rice.",
    "The tunnel was dug from both ends and met within the width of a hand.",
    "Lichens are two beings in one: a fungus that keeps house for an alga.",
    "The auctioneer let the hammer fall at eleven thousand for the pair of vases.",
    "Dunes wander a few metres a year, faster where no grass holds them.",
    "The acrobat chalked her hands and nodded to the man at the rope.",
    "Paper was made from rags here until the mill burned down.",
    "Migrating cranes rest on the sandbanks and leave at the first frost.",
    "The heir contested the will because one witness could not read.",
    "Tune the drum by its edge, a little at each screw, and tap as you go.",
    "Basalt cools into columns of six sides when it cools slowly.",
    "The goat cheese is rolled in ash and turned every morning.",
    "At low tide the causeway lies open for three hours.",
    "The monks copied the psalter twice and sold the second for a field.",
    "Sprinters lean into the line because the chest is what counts.",
    "Volcanic ash fertilised the terraces on which the vines now stand.",
    "The clock loses a minute in summer, when its pendulum grows.",
    "Her grandmother could call the cows by singing from the gate.",
    "Radar showed a flock of starlings where the pilots feared a storm.",
    "The tapestry shows a unicorn, two hounds and a very bored lady.",
    "Copper roofs turn green within a generation near the sea.",
    "The magician's assistant was twins, which explained a good deal."};

}  // namespace

Texts foreign_texts() {
  Texts out;
  for (const char* text : kForeign) out.add(text);
  return out;
}

}  // namespace shoal
