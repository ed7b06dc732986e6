"""Pieces of sentences that hold an action; `sentences` joins one of each list, so that shapes number in the thousands.

@A and @B stand for the verb phrases, @O and @P for owners, @D and @E for due dates, as in `sentences`.
"""

from .lexicon import entries


def cross(*lists: list[str]) -> list[str]:
    """Every way to join one entry of each list."""
    joined = [""]
    for items in lists:
        joined = [f"{j} {e}".strip() for j in joined for e in items]
    return joined


NOTHING = [""]
LEADS = NOTHING * 40 + entries("""
I think | I guess | I suppose | I believe | I'm afraid | I know | I realized | I just remembered | I noticed | it looks like | looks like | apparently | basically | honestly | the thing is | turns out | it turns out
as discussed, | as promised, | just so I don't forget, | for the record, | quick reminder, | important: | reminder: | one thing: | second thing: | the other thing is, | long story short, | in any case | no way around it, | either way | as always | as every year
obviously | of course | clearly | to be honest | if I remember correctly | for sure | seriously, | before anything else, | among other things | on top of that | besides | in addition | meanwhile | until then | what matters is, | sooner or later
""")
TAILS = NOTHING * 60 + entries("""
, please | , okay | , thanks | , if possible | , if that works | , I guess | , and that's it | , no excuses | , for sure | , no matter what | , whatever happens | , right | , promise | , if at all possible | , as agreed | , as always | , like last time | , at least | , finally
, that's important | , very important | , don't ask why | , I suppose | , that's the plan | , easy enough | , and that's final | , shouldn't take long | , shouldn't be hard | , nothing else | , same as before | , just in case | , to be safe | , otherwise it gets forgotten
""")
SELF_MODALS = entries("""
I need to | I must | I should | I'll | I will | I want to | I'm going to | I gotta | I've got to | I have got to | I'd better | I ought to | I'm supposed to | I'm meant to | I'm expected to | I'm required to | I was asked to | I was told to | I'm on the hook to | I'm signed up to | I signed up to | I committed to | I decided to | I've decided to
I've agreed to | I've promised to | I swore to | I plan to | I'm planning to | I aim to | I mean to | I'm due to | I'm about to | I'd like to | I would like to | I will need to | I'll have to | I'll need to | I'll try to | I'll be sure to | I'll make sure to | I'll remember to | I'll go ahead and | I'll go and | I'll just | I'll quickly | I'll probably
I can | I could | I'm happy to | I'm willing to | I'm ready to | I'm the one to | I am to | I still must | I definitely need to | I absolutely have to | I actually need to | I probably should | I finally have to | I really must | I also want to | I also should | I just have to | I might have to | I may have to | I would need to
let me just | let me quickly | let me go and | let us | let's also | let's not forget to | let's quickly | let's go and | let's try to | we must | we want to | we've got to | we gotta | we ought to | we'd better | we'll have to | we'll need to | we're supposed to | we're expected to | we're planning to | we plan to | we aim to | we promised to | we've agreed to
we committed to | we might have to | we can't forget to | we still need to | we really should | we definitely have to | we will have to | we will try to | we'd like to | we can | we also want to | we also have to | someone has to | someone should | someone must | somebody needs to | somebody must | somebody has got to | one of us has to | one of us should | one of us will
you have to | you should | you must | you'll have to | you'd better | you might want to | make a note to | set a reminder to | put in a reminder to | add a reminder to | give me a nudge to | help me remember to | help me | note to | it's necessary to | it's about time to | it's crucial to | it's high time to | it makes sense to | it's best to | it's wise to | it's essential to
all that's left is to | what's left is to | what remains is to | what's missing is to | the top priority is to | the priority is to | my first job is to | my homework is to | today's job is to | the task is to | the job is to | the goal is to | the idea is to | the decision is to | the agreement was to | the request is to | the only thing left is to | the last thing is to
the main thing is to | number one is to | number two is to | step one is to | step two is to | the important part is to | the next job is to | the first step is to | I made a note to | I have a reminder to | I wrote down to | my mission is to | my goal is to | my plan is to | our job is to | our task is to | our next step is to | our plan is to | that leaves me to | it's up to me to | it's up to us to | it falls to me to
I made a promise to | I gave {name} my word to | I told everyone I'd | I told {group} I'd | I promised {group} to | I swore I would | I said yes when they asked me to | I can't go to bed before I | I won't forget to | I can't put off any longer that I have to | I have been meaning to | I've been meaning to | I keep meaning to | I haven't managed to | I didn't get to it, so I must | the reason I call is to
""")
LISTED = entries("""
on my list: | on the list: | next up: | next up, | up next: | still open: | pending: | outstanding: | follow up: | must do: | not to forget: | don't forget: | remember: | task: | next: | next, | first of all, | first off, | first thing: | secondly, | second, | third, | last but not least, | lastly, | number one: | number two, | point three: | item four: | todo:
to do, | for me: | my part: | my turn: | my job: | mine: | then later | and maybe | or better | and quickly | after that, | afterwards, | right after that, | in between, | at some point | then also | and finally, | and last, | last thing, | one last thing: | quickly | just | maybe | again: | for tomorrow's list:
""")
ASKED_BY = cross(entries("{who} | {who} | she | he | my boss | {name} from {company}"), entries("""
asked me to | told me to | reminded me to | begged me to | would like me to | expects me to | is counting on me to | is waiting for me to | urged me to | advised me to | instructed me to | pushed me to | encouraged me to | texted me to | emailed me to | called me to | asked us to | told us to | reminded us to | expects us to | would like us to | urged us to | begged us to | invited us to
recommends that I | recommended I | suggested I | suggested that we | suggested that I | insists that I | insists that we | says I need to | says I have to | says I must | says we should | says we have to | thinks I should | thinks we should | thinks we have to | said we should | said I need to | said I must | said I could | asked whether I could | asked whether we could | asked if we could | wanted me to | wanted us to | still wants us to
agreed that I should | agreed that I would | got me to | has me | made me promise to | put me down to | won't rest until I | is glad if I | is happy if we
"""))
POLITE = entries("""
could you please | can you maybe | can you quickly | would you please | would you kindly | please could you | please also | please just | please quickly | please try to | please go and | please make sure to | please be so kind and | if you could | if you can, | if you could please | would it be possible to | is it possible to | any chance you could | any chance you can | do you think you could
be so kind and | be a dear and | do me a favor and | I'd appreciate it if you could | it would help if you could | it'd be nice if you could | I'd be grateful if you could | may I ask you to | can I ask you to | can I get you to | I was hoping you could | I was wondering if you could | I need you to | I want you to | kindly | make sure you | try to | go ahead and | go and | you can | feel free to | could we
could we please | can we | can we please | can somebody | can someone please | could someone | could somebody please | who could | who wants to | who will | who is going to | would anybody | is anybody able to | can anyone | how about you | why don't we | why don't I | why don't you | shouldn't we | shouldn't I | couldn't we | should I | should we | shall we | shall I | may I | can I | could I
""")
SELF_ING = entries("""
I'm | I'll be | I'm in charge of | I'm responsible for | I'm taking care of | I'm looking after | I'm down for | I signed up for | I'm stuck with | we're | we'll be | would you mind | how about | what about | I'm committed to | I'm still on the hook for | I volunteered for | my job is | my part is | what's left is | next up is | next is | I start | I'll start | I will start | we start | we'll start | we should start
I should be | I should get started on | I need to start | I have to start | I have to get around to | I can't put off | I can't get around | there's no way around | don't forget about | remember about | it's my turn for | I'm planning on | we're planning on | I insist on | let's start | let's begin with | I'll begin with | first comes | then comes
""")
SAYS = entries("""
said | says | told me | told us | told everyone | mentioned | confirmed | promised | promised me | promised us | thinks | wrote | wrote to me | texted | texted me | emailed | assured me | assured us | agreed | let me know | announced | replied | figures | reckons | hopes | guaranteed | swears | swore | answered | claims | insists | is sure | decided | believes | warned me | suggested | explained | repeated | says again
called and said | called to say | wrote to say | just said | just told me | already said | also said | said yesterday | said last week | said on the phone | said in the {event} | stated | noted | added | pointed out | admitted
""")
THAT = NOTHING * 3 + ["that"]
PRONOUN_MODALS = cross(["he", "she"], entries("will | can | would | could | should | must | has to | needs to | wants to | is going to | is gonna | might | plans to | is able to | is happy to | is willing to | will try to | will have to | may | ought to | 'd | is supposed to | is meant to")) + entries("""
he'll | she'll | they'll | they will | they can | they would | they could | they have to | they need to | they want to | they're going to | they might | they plan to | they're happy to | they'll try to | he'll probably | she'll probably | he'll also | she'll also | he'd | she'd | they'd | he's going to | she's going to | he's able to | she's happy to | it's fine and will
""")
PRONOUN_MODALS = [p.replace(" 'd", "'d") for p in PRONOUN_MODALS]
OTHER_MODALS = entries("""
will | is going to | is gonna | needs to | has to | should | must | can | could | may | ought to | is to | shall | would | would like to | wants to | plans to | intends to | means to | hopes to | aims to | is planning to | is hoping to | is supposed to | is meant to | is expected to | is required to | is due to | is set to | is about to | is able to | was asked to | was told to | has promised to | has offered to
has volunteered to | has decided to | decided to | chose to | is committed to | committed to | is free to | is glad to | is willing to | has got to | had better | still must | is still supposed to | is still going to | gets to | will have to | will need to | will try to | will go and | will be the one to | will make sure to | will come and | will go ahead and | will gladly | will quickly | will definitely | will surely | will hopefully | will also
will first | will personally | will kindly | will now | will soon | will still | might also | might even | may also | can also | can probably | can maybe | should also | should probably | should first | should really | really has to | really needs to | really should | definitely has to | probably has to | now has to | now needs to | then has to | then needs to | first has to | first needs to | finally has to
is the one who will | is the one who has to | is the right person to | has time to | has the job to | got the task to | took it on to | signed up to | pledged to | swore to | vowed to | is scheduled to | is assigned to | is on the hook to | is on duty to | is responsible to | is kind enough to | was kind enough to offer to | is nice enough to | has been asked to | has been told to | has been chosen to | has to be the one to | has one more job, to
from {company} will | from {company} has to | in {city} will | in {city} needs to | at the {place} will | at the {place} has to | from {group} should | , our new colleague, will | , who was there too, will | , not {name}, will | , as always, will | , of all people, has to | himself will | herself has to | alone has to | and nobody else should | too has to | also wants to | also should | also must | apparently will | probably should | maybe could | hopefully can
""")
THINK = entries("""
I think | I guess | I hope | I believe | I assume | I suppose | I'm sure | I heard | I heard that | I was told that | hopefully | maybe | perhaps | apparently | probably | we agreed that | we decided that | we said that | we settled on it that | it was decided that | it's settled, | the plan is that | the deal is that | the agreement is that | turns out | it looks like | looks like | good news, | as far as I know
as I understand it | if I got it right | from what I hear | she says | he says | they say | she thinks | the boss thinks | {group} thinks | {name} says | {name} thinks | {name} wants that | it's important that | it's best if | it's better if | it would be best if | it would help if | let's make sure | make sure that | see to it that | check that | see that | I want to see that | I need to know that | as agreed | as discussed | as promised | next
in the meantime | meanwhile | after that | afterwards | then | first | later | finally | besides | of course | for sure | until then | from now on | in the end | in addition | this time | on the other side | on our side | on their side
""")
ASK_TO = cross(NOTHING * 6 + entries("please | I'll | I need to | I should | I want to | let me | let's | we should | can you | could you | I have to | I'm going to | remind me to | we need to | we'll | don't forget to | I must | maybe | just | go and"), entries("ask | ask | tell | remind | get | nag | beg | push | urge | convince | persuade | instruct | invite | text | call | email | check with"), ["@O to"]) + cross(
    entries("I asked | we asked | I told | we told | I reminded | we reminded | I persuaded | I convinced | she asked | he asked | they asked | he told | she told | the boss asked | the boss told | I've asked | I've told | I already asked | {name} asked | {name} told | {group} asked | I begged | I got | we got"), ["@O to"]) + cross(entries("""
I need | we need | I want | we want | I'd like | we'd like | I would like | I expect | we expect | I'm counting on | I'm relying on | we're counting on | we're waiting for | still waiting for | it's up to | it's on | it falls to | over to | it's the job of | the plan is for | the idea is for | the deal is for | I'm asking | time for | it's time for | leave it to | I leave it to | I'll leave it to | I trust | I got | they want | they need | she wants | he wants | she needs
it's important for | it's necessary for | it would be good for | it would be great for | it would be nice of | there's still the need for | what's left is for | the next step is for | the next thing is for | next is for | the task of | the job of | depends on | we're depending on | I'm hoping for | we hope for | we voted for | we picked | I picked | we chose | we appointed | they appointed | I assigned | we assigned
"""), ["@O to"])
ADDRESS = cross(entries("@O, | @O, | hey @O, | and @O, | so @O, | okay @O, | hi @O, | @O | thanks @O, | dear @O, | yes @O, | @O, my friend,"), entries("""
please | can you | could you | would you | will you | you have to | you should | you must | you need to | I need you to | don't forget to | remember to | make sure to | be so kind and | do me a favor and | your job is to | it's your turn to | kindly | could you please | can you please | can you also | would you please | would you mind if I ask you to | you'll have to | you can | you could | please also | please don't forget to | it would be great if you could | I'd like you to | I want you to
"""))
FOR_OWNER = entries("""
@O: | for @O: | on @O: | task for @O: | todo for @O: | to do for @O: | assigned to @O: | next, @O: | with @O: | reminder for @O: | message for @O: | job for @O: | from @O: | for @O to do: | for @O, | @O has one job: | @O has one task: | @O gets the job: | @O again: | @O first: | @O, to do: | @O promised: | @O offered: | up to @O: | that's for @O: | left for @O:
""")
OWNER_LAST = entries("""
@A @D, that's @O | @A @D, @O does it | @A @D, @O will handle that | @A @D, that's for @O | @A @D, I gave that to @O | @A @D, assigned to @O | @A @D, that's on @O | @A @D, that's a job for @O | @A @D, which is up to @O | @A @D, @O will | @A @D, @O said yes | @A @D, @O agreed to do it | @A @D, @O volunteered | @A @D, and @O does that | @A @D, @O takes that one | @A @D, this goes to @O | @A @D, @O is on it
to @A @D is up to @O | to @A @D is on @O | somebody has to @A @D, and that's @O | someone needs to @A @D, probably @O | we have to @A @D, and @O will do it | we need to @A @D, @O said he would do it | who will @A @D? @O | the one to @A @D is @O | the one who has to @A @D is @O | the person to @A @D is @O | the job to @A @D goes to @O | the task to @A @D went to @O | @A @D, responsible is @O | @A @D, responsible: @O | @A @D, owner is @O
""")
OTHER_ING = cross(["@O"], entries("""
will be | is working on | is looking after | is taking care of | is handling | volunteered for | signed up for | is down for | is busy | insists on | will start | will be in charge of | is assigned to | will take care of | has to start | should start | needs to start | agreed to start | promised to start | is on the hook for | is the one | is already | is now | is still | is also | is probably | will probably be | is going to be | is going to start | has started | has begun | begins | committed to | looks after | is next for | will see to | is set on | will keep | should keep | must keep
"""))
AND_B = entries("""
@A and @B @D | @A and then @B @D | @A, @B @D | @A, then @B @D | @A and also @B @D | @A and after that @B @D | @A plus @B @D | @A, and also @B @D | @A, and @B @D | @A and later @B @D | @A and maybe @B @D | @A and if possible @B @D | @A and just @B @D | @A as well as @B @D | @A and quickly @B @D | @A, after that @B @D | @A and afterwards @B @D | @A and finally @B @D | both @A and @B @D | @A or @B @D | @A or at least @B @D | @A, or @B @D | @A & @B @D | not only @A but also @B @D | @A, and maybe even @B @D | @A first and then @B @D
""")
AND_B_LATER = entries("""
@A @D and @B @E | @A @D and then @B @E | @A @D, then @B @E | @A @D, and @B @E | @A @D and also @B @E | @A @D, @B @E | @A @D and @E @B | @A @D, and @E @B | @A @D, and then @E @B | @A @D but @B @E | @A @D and after that @B @E | @A @D, after that @B @E | @A @D and maybe @B @E | @A @D and finally @B @E | @A @D, plus @B @E | @A @D as well as @B @E | @A @D, and later @B @E | @A @D and only then @B @E
""")
DUE_FIRST = entries("@D | @D | @D, | so @D | and @D | then @D | but @D | also @D | latest @D | maybe @D | preferably @D | probably @D | hopefully @D | ideally @D | best @D | already @D | not before but @D | no later, @D | deadline: @D | due @D: | okay, @D")
BETWEEN = entries("and | , and | and | while | , while | but | , but | so | , so | then | , then | , | . | , whereas | and meanwhile | , meanwhile | , and in return | in exchange for which | and after that | before | and at the same time | . And | . Then | , because then")
BE_DONE = entries("""
needs to be | has to be | must be | should be | still has to be | ought to be | is to be | will have to be | has got to be | really needs to be | needs to get | has to get | should get | must get | still needs to get | also needs to be | also has to be | will need to be | can be | could be | should probably be | should already be | definitely has to be | is supposed to be | is due to be | is waiting to be | is still to be | wants to be | better be
has yet to be | isn't done yet and must be | absolutely must be | finally has to be | probably has to be | has to be quickly | should really be | is overdue to be | first has to be
""")
DONE_TO = entries("""
{the} {doc} | {the} {thing} | {the} {noun} | {the} {software} | {the} {place} | {the} {doc} and {the} {doc} | {nameS} {doc} | {nameS} {thing} | the {noun} in {the} {place} | {the} {doc} for {who} | {the} {doc} for {company} | {the} {thing} from {name} | all the {noun} | half of the {noun} | the {adj} {noun} | the rest | everything | this | that one | the {noun} and the {noun} | the {event} | {number} {noun} | {the} {thing} for {the} {event} | the {fake} | {the} {noun} of {name}
""")
DONE = entries("""
booked | cancelled | sorted out | thrown away | taken down | put up | written | rewritten | finished | closed | opened | locked | unlocked | covered | emptied | filled | refilled | stored | packed | unpacked | sorted | counted | weighed | cut | trimmed | mowed | swept | mopped | vacuumed | ironed | folded | wrapped | labelled | copied | scanned | filed | archived | deleted | uploaded | downloaded | installed | restarted | reset | backed up
called in | handed in | submitted | presented | discussed | decided | agreed | planned | scheduled | rescheduled | announced | published | posted | shared | forwarded | answered | explained | looked at | looked after | taken care of | dealt with | followed up | brought back | sent back | given back | paid back | refunded | credited | invoiced | negotiated | renegotiated | insured | registered | certified | inspected | adjusted | tightened | oiled | sharpened
warmed up | cooked | baked | frozen | thawed | watered | planted | fed | brushed | bathed | vaccinated | walked | picked up from {the} {place} | taken to {the} {place} | brought to {name} | sent to {who} | shown to {who} | checked by an expert | cleaned again | painted {color}
""")
