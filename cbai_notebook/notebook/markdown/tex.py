"""The TeX that may be typeset: an allow-list of names.

A formula is given to MathJax (or KaTeX) in a trusted page. Commands that link, style, define,
include or load are not on the list, nor is any command that is not known to only draw.
"""

from __future__ import annotations

import re

from cbai_notebook.notebook.markdown.limits import FORMULA_NESTING

# The names are one text, split by code, so that a person can read and extend it.
_names = str.split

COMMANDS = frozenset(
    _names(
        # Greek and Hebrew
        """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda mu
    nu xi omicron pi varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega digamma
    Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho Sigma
    Tau Upsilon Phi Chi Psi Omega varGamma varDelta varTheta varLambda varXi varPi varSigma
    varUpsilon varPhi varPsi varOmega aleph beth gimel daleth
    """
        # letters and faces
        """
    mathrm mathbf mathit mathsf mathtt mathbb mathcal mathfrak mathscr mathnormal mathbfit mathbfcal
    mathbffrak mathbfscr mathbfsf mathsfit symrm symbf symit symsf symbb symcal symfrak symscr
    boldsymbol bm bold pmb rm bf it sf tt cal frak scr Bbb text textrm textbf textit textsf texttt
    textnormal textup textmd emph mbox hbox operatorname operatornamewithlimits mathop mathrel
    mathbin mathord mathopen mathclose mathpunct mathinner ell hbar hslash imath jmath wp Re Im
    partial nabla complement eth mho Finv Game Bbbk hbar infty emptyset varnothing forall exists
    nexists neg lnot top bot angle measuredangle sphericalangle surd flat natural sharp clubsuit
    diamondsuit heartsuit spadesuit prime backprime bigstar blacklozenge blacksquare blacktriangle
    blacktriangledown lozenge square triangle triangledown circledR circledS checkmark maltese
    yen pounds S P dag ddag copyright degree celsius micro ohm perthousand Box Diamond
    diagdown diagup
    """
        # operators and functions
        """
    sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan arg deg det dim exp gcd hom inf
    ker lg lim liminf limsup ln log max min Pr sup injlim projlim varinjlim varprojlim varliminf
    varlimsup argmax argmin sum prod coprod int iint iiint iiiint oint oiint oiiint idotsint
    smallint bigcap bigcup bigsqcup bigvee bigwedge bigodot bigotimes bigoplus biguplus
    limits nolimits displaylimits mod bmod pmod pod
    """
        # binary operators
        """
    pm mp times div ast star circ bullet cdot cap cup uplus sqcap sqcup vee wedge lor land setminus
    smallsetminus wr diamond bigtriangleup bigtriangledown triangleleft triangleright lhd rhd unlhd
    unrhd oplus ominus otimes oslash odot bigcirc dagger ddagger amalg dotplus Cap Cup doublecap
    doublecup barwedge veebar doublebarwedge boxminus boxtimes boxdot boxplus divideontimes ltimes
    rtimes leftthreetimes rightthreetimes curlywedge curlyvee circleddash circledast circledcirc
    centerdot intercal gtrdot lessdot
    """
        # relations
        """
    le leq ge geq lt gt ne neq prec succ preceq succeq ll gg subset supset subseteq supseteq sqsubset
    sqsupset sqsubseteq sqsupseteq in ni notin owns vdash dashv models perp mid parallel bowtie Join
    smile frown asymp equiv sim simeq approx cong propto doteq approxeq backsim backsimeq
    bumpeq Bumpeq circeq coloneqq coloneq Coloneqq eqqcolon colonapprox colonsim vcentcolon dblcolon
    eqcirc eqsim eqslantgtr eqslantless fallingdotseq risingdotseq doteqdot Doteq geqq geqslant ggg
    gggtr gnapprox gneq gneqq gnsim gtrapprox gtreqless gtreqqless gtrless gtrsim gvertneqq leqq
    leqslant lessapprox lesseqgtr lesseqqgtr lessgtr lesssim lll llless lnapprox lneq lneqq lnsim
    lvertneqq ncong ngeq ngeqq ngeqslant ngtr nleq nleqq nleqslant nless nmid nparallel nprec npreceq
    nshortmid nshortparallel nsim nsubseteq nsubseteqq nsucc nsucceq nsupseteq nsupseteqq
    ntriangleleft ntrianglelefteq ntriangleright ntrianglerighteq nvdash nvDash nVdash nVDash
    preccurlyeq precapprox precnapprox precneqq precnsim precsim succcurlyeq succapprox succnapprox
    succneqq succnsim succsim curlyeqprec curlyeqsucc shortmid shortparallel smallfrown smallsmile
    subseteqq subsetneq subsetneqq Subset supseteqq supsetneq supsetneqq Supset varsubsetneq
    varsubsetneqq varsupsetneq varsupsetneqq thickapprox thicksim therefore because between
    trianglelefteq triangleq trianglerighteq vartriangle vartriangleleft vartriangleright
    blacktriangleleft blacktriangleright vDash Vdash Vvdash pitchfork backepsilon varpropto not
    colon ratio centernot lvert rvert lVert rVert vert Vert
    """
        # arrows
        """
    leftarrow gets rightarrow to leftrightarrow Leftarrow Rightarrow Leftrightarrow iff implies
    impliedby longleftarrow longrightarrow longleftrightarrow Longleftarrow Longrightarrow
    Longleftrightarrow mapsto longmapsto hookleftarrow hookrightarrow leftharpoonup leftharpoondown
    rightharpoonup rightharpoondown rightleftharpoons leftrightharpoons leadsto uparrow downarrow
    updownarrow Uparrow Downarrow Updownarrow nearrow searrow swarrow nwarrow circlearrowleft
    circlearrowright curvearrowleft curvearrowright dashleftarrow dashrightarrow downdownarrows
    downharpoonleft downharpoonright leftarrowtail leftleftarrows leftrightarrows leftrightsquigarrow
    Lleftarrow looparrowleft looparrowright Lsh multimap nleftarrow nLeftarrow nleftrightarrow
    nLeftrightarrow nrightarrow nRightarrow restriction rightarrowtail rightleftarrows
    rightrightarrows rightsquigarrow Rrightarrow Rsh twoheadleftarrow twoheadrightarrow upharpoonleft
    upharpoonright upuparrows xleftarrow xrightarrow xleftrightarrow xLeftarrow xRightarrow
    xLeftrightarrow xhookleftarrow xhookrightarrow xmapsto xrightleftharpoons xleftrightharpoons
    xlongequal overrightarrow overleftarrow overleftrightarrow underrightarrow underleftarrow
    underleftrightarrow
    """
        # accents, fractions, roots, stacks
        """
    hat check tilde acute grave dot ddot dddot ddddot breve bar vec mathring widehat widetilde
    overline underline overbrace underbrace overset underset overparen underparen overbracket
    underbracket stackrel stackbin atop atopwithdelims over overwithdelims choose brace brack
    frac dfrac tfrac cfrac binom dbinom tbinom sqrt root of uproot leftroot substack sideset
    prescript boxed fbox framebox cancel bcancel xcancel cancelto not phantom hphantom vphantom smash
    mathstrut strut buildrel rel skew
    """
        # delimiters and sizes
        """
    left right middle big Big bigg Bigg bigl Bigl biggl Biggl bigr Bigr biggr Biggr bigm Bigm biggm
    Biggm langle rangle lbrace rbrace lbrack rbrack lceil rceil lfloor rfloor lgroup rgroup lmoustache
    rmoustache ulcorner urcorner llcorner lrcorner llbracket rrbracket backslash displaystyle
    textstyle scriptstyle scriptscriptstyle tiny Tiny scriptsize small normalsize large Large LARGE
    huge Huge
    """
        # spaces, dots, lines, tables
        """
    quad qquad enspace enskip thinspace negthinspace medspace negmedspace thickspace negthickspace
    space nobreakspace hspace hskip mskip kern mkern mspace hfill hfil
    dots dotsb dotsc dotsi dotsm dotso ldots ldotp cdots cdotp vdots ddots iddots
    cr newline hline hdashline cline intertext shortintertext notag nonumber tag label
    begin end mathllap mathrlap mathclap llap rlap clap shoveleft shoveright
    allowbreak nobreak noindent hfill begingroup endgroup bgroup egroup null empty
    """
        # physics, brackets of quantum mechanics, chemistry, units
        """
    bra ket braket Bra Ket Braket ketbra dyad innerproduct outerproduct expval ev mel matrixel qty
    quantity abs norm eval order comm acomm pb dv pdv dd fdv grad divergence curl laplacian laplacian
    vb va vu vectorbold vectorarrow vectorunit vdot cross cp tr Tr rank erf Res pv PV principalvalue
    qq qcomma qc qif qthen qelse qotherwise qunless qgiven qusing qassume qsince qlet qfor qall
    qeven qodd qinteger qand qor qas qin qcc set Set ce pu cf
    """
        # colours, by plain names only
        """
    color textcolor colorbox
    """
    )
)

ENVIRONMENTS = frozenset(
    _names(
        """
    equation align aligned alignedat alignat gather gathered multline multlined split flalign
    xalignat eqnarray displaymath math array subarray matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix
    smallmatrix psmallmatrix bsmallmatrix Bsmallmatrix vsmallmatrix Vsmallmatrix cases dcases rcases
    drcases numcases CD
    """
    )
)

# Matched from left to right, as TeX reads: ``\\begin`` is a line break and a word, no environment.
_CONTROL = re.compile(
    r"\\(?:(begin|end)(?![A-Za-z])\s*(?:\{\s*([A-Za-z]+)\*?\s*\})?|([A-Za-z]+)|.)", re.DOTALL
)
_CHEMISTRY = re.compile(r"\\(?:ce|pu)(?![A-Za-z])")
# \color puts its argument into a style; anything but a plain name or number could break out of it.
_COLOUR = re.compile(r"\\(?:text)?color(?:box)?(?![A-Za-z])(?!\s*\{[A-Za-z0-9#]{1,30}\})")
# The options of \cancel become attributes of an element.
_OPTION = re.compile(r"\\[bx]?cancel(?:to)?\s*\[")
_BRACKET = re.compile(r"\\(?:under|over)bracket\s*\[")
# MathJax loops in the page as often as such a count says.
_COUNT = re.compile(
    r"\\begin\s*\{\s*x?align(?:ed)?at\*?\s*\}(?!\s*(?:\[[tbc]\]\s*)?\{\s*\d{1,2}\s*\})"
)
_ARRAY = re.compile(r"\\begin\s*\{\s*(?:sub)?array\s*\}\s*(?:\[[tbc]\]\s*)?")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
# A formula must not cover the text around it: spaces must be short, and negative ones shorter.
_SPACE = re.compile(
    r"\\(?:hspace|mspace|hskip|mskip|kern|mkern)(?![A-Za-z])"
    r"(?!\*?\s*\{?\s*(?:\d{1,2}|-\d)?(?:\.\d+)?\s*(?:em|ex|pt|pc|px|mm|cm|in|mu)\b)"
    r"|\\\\\*?\[\s*-?\d{3}"
)


def typesettable(formula: str) -> bool:
    """Return whether a formula holds only commands and environments that draw.

    Args:
        formula: TeX, with or without its delimiters.

    Returns:
        ``False`` when a command or an environment is not on the list, when a colour is not a plain
        name, or when braces nest deeper than `FORMULA_NESTING`.
    """
    for bound, environment, command in _CONTROL.findall(formula):
        if bound and environment not in ENVIRONMENTS:
            return False
        if command and command not in COMMANDS:
            return False
    if any(rule.search(formula) for rule in (_COLOUR, _OPTION, _BRACKET, _COUNT, _SPACE)):
        return False
    # Chemistry is rewritten before it is parsed as TeX, so ``\\`` may begin a command there.
    if _CHEMISTRY.search(formula) and "\\\\" in formula:
        return False
    return _nesting(formula) <= FORMULA_NESTING and not _repeats_columns(formula)


def _repeats_columns(formula: str) -> bool:
    """Return whether an array repeats columns, as in ``*{3}{c}``: MathJax loops as often as it says."""
    position = 0
    while array := _ARRAY.search(formula, position):
        argument = _argument(formula, array.end())
        if "*" in argument:
            return True
        position = array.end() + len(argument)
    return False


def _argument(formula: str, start: int) -> str:
    """Return the argument in braces that begins here; in doubt, the rest of the formula."""
    depth = 0
    for mark in _BRACE.finditer(formula, start) if formula[start : start + 1] == "{" else ():
        depth += {"{": 1, "}": -1}.get(mark[0], 0)
        if depth == 0:
            return formula[start : mark.end()]
    return formula[start:]


def _nesting(formula: str) -> int:
    """Return how deep braces, environments and ``\\left`` … ``\\right`` nest."""
    depth = deepest = 0
    for mark in re.findall(r"\\begin|\\end|\\left(?![a-z])|\\right(?![a-z])|\\.|[{}]", formula):
        if mark in ("{", r"\begin", r"\left"):
            depth += 1
            deepest = max(deepest, depth)
        elif mark in ("}", r"\end", r"\right"):
            depth -= 1
    return deepest
